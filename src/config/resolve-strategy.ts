// `strategy` of the configuration to the strategy of a specification.

import { unreachable } from '../base/assert.ts';
import type { CanaryStrategy, StrategySpec } from '../core/plan/spec.ts';
import type { StrategySettings } from './schema/strategy.ts';

export function strategySpec(strategy: StrategySettings): StrategySpec {
  switch (strategy.name) {
    case 'canary':
      return canary(strategy.settings);
    case 'blue-green': {
      const { switchDelay, observe, keepOld, promotion } = strategy.settings;
      return { kind: 'blue-green', switchDelayMs: switchDelay, observeMs: observe, keepOldMs: keepOld, promotion };
    }
    case 'rolling': {
      const { maxSurge, maxUnavailable, observe } = strategy.settings;
      return { kind: 'rolling', maxSurge, maxUnavailable, observeMs: observe };
    }
    default:
      return unreachable(strategy, 'strategy');
  }
}

function canary(settings: Extract<StrategySettings, { name: 'canary' }>['settings']): CanaryStrategy {
  const { stages, hold, maxHold, promotion, sticky, match, keepOld } = settings;
  return {
    kind: 'canary',
    stages: stages.map((stage) => ({
      share: stage.share,
      holdMs: stage.hold.atLeast ?? hold.atLeast,
      requests: stage.hold.requests ?? hold.requests,
    })),
    maxHoldMs: maxHold,
    keepOldMs: keepOld,
    promotion,
    ...(sticky === undefined ? {} : { sticky: { cookie: sticky.cookie, maxAgeMs: sticky.maxAge } }),
    match: match.map((rule) =>
      'header' in rule
        ? { header: rule.header.toLowerCase(), equals: rule.equals }
        : { cookie: rule.cookie, equals: rule.equals },
    ),
  };
}
