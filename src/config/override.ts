// Lays what was said on the command line over the strategy of one environment, for one deployment.

import { Failure } from '../base/failure.ts';
import { problemsFrom } from './issues.ts';
import type { Config } from './parse.ts';
import { canaryProblems } from './rules/spec-rules.ts';
import { strategySchema, type StrategySettings } from './schema/strategy.ts';

export interface Overrides {
  /** `canary`, `blue-green` or `rolling`; its settings are the configured ones where the configuration names the same. */
  readonly strategy?: string | undefined;
  /** Shares such as `10%`, of a canary. */
  readonly stages?: readonly string[] | undefined;
}

/** Rejects with `usage` at `--strategy` or `--stages`. An environment that there is not is left for `resolveEnvironment`. */
export function overrideStrategy(config: Config, environment: string, overrides: Overrides): Config {
  const settings = Object.hasOwn(config.environments, environment) ? config.environments[environment] : undefined;
  if (settings === undefined) return config;
  const named = strategyNamed(settings.strategy, overrides.strategy);
  const strategy = overrides.stages === undefined ? named : staged(named, overrides.stages);
  return { ...config, environments: { ...config.environments, [environment]: { ...settings, strategy } } };
}

function strategyNamed(configured: StrategySettings, name: string | undefined): StrategySettings {
  return name === undefined || name === configured.name ? configured : parsed(name, '--strategy');
}

function staged(strategy: StrategySettings, stages: readonly string[]): StrategySettings {
  if (strategy.name !== 'canary') {
    throw new Failure('usage', `the strategy ${strategy.name} has no stages`, {
      at: '--stages',
      remedy: 'Leave out `--stages`, or add `--strategy canary`.',
    });
  }
  const given = parsed({ canary: { stages } }, '--stages');
  if (given.name === 'canary') refuseStages(given.settings.stages.map((stage) => stage.share));
  return given.name === 'canary'
    ? { name: 'canary', settings: { ...strategy.settings, stages: given.settings.stages } }
    : strategy;
}

/** Here, because later nothing would tell that the stages came from the command line. */
function refuseStages(shares: readonly number[]): void {
  const [problem] = canaryProblems(
    shares.map((share) => ({ share, holdMs: 0, requests: 0 })),
    0,
  );
  if (problem === undefined) return;
  throw new Failure('usage', problem.message, { at: '--stages', remedy: problem.remedy });
}

function parsed(raw: unknown, flag: string): StrategySettings {
  const result = strategySchema.safeParse(raw);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => ({ ...issue, path: ['strategy', ...issue.path] }));
  const [problem] = problemsFrom(issues, { strategy: raw });
  throw new Failure('usage', problem?.message ?? 'is not a strategy', {
    at: flag,
    remedy: problem?.remedy ?? 'See `sluice deploy --help`.',
  });
}
