// Specifications and releases for simulated deployments.

import type { GateCheck, QueryCheck } from '../../src/core/gate/check.ts';
import type { ConfidencePolicy } from '../../src/core/decision/confidence.ts';
import { gatePresets } from '../../src/core/gate/statistics/settings.ts';
import type { DeploySpec, StrategySpec } from '../../src/core/plan/spec.ts';
import type { Scope } from '../../src/core/scope.ts';
import type { HttpCheck } from '../../src/core/validation/check.ts';
import type { Random } from './random.ts';

export const scope: Scope = { service: 'shop', environment: 'production' };

const readiness: HttpCheck = {
  kind: 'http',
  url: '/ready',
  method: 'GET',
  headers: {},
  status: [{ from: 200, to: 299 }],
  expectHeaders: {},
  expectJson: {},
  concurrency: 1,
  withinMs: 1000,
  attempts: 1,
  pauseMs: 0,
};

const gates: readonly GateCheck[] = [
  { kind: 'absolute', metric: 'errorRate', bound: 'max', limit: 0.2, minSamples: 10 },
  { kind: 'relative', metric: 'errorRate', unit: 'points', limit: 0.2, minSamples: 10 },
];

const statistical: GateCheck = { kind: 'statistical', preset: 'low-traffic', gate: gatePresets['low-traffic'] };

/** The share of failed requests, as a metric source knows it. */
const asked: QueryCheck = {
  kind: 'query',
  name: 'errors',
  source: 'main',
  query: 'errors',
  minSamples: 0,
  max: 0.2,
  points: 1,
  noData: 'hold',
  weight: 1,
  intervalMs: 1_000,
  windowMs: 10_000,
};

/** A specification whose release directory is `source`; everything that may differ is drawn. */
export function drawSpec(random: Random, source: string): DeploySpec {
  const instances = random.between(1, 4);
  return {
    scope,
    source: { kind: 'directory', directory: source, ignore: [] },
    run: { command: ['serve'], environment: {}, workingDirectory: '.', limits: {} },
    instances,
    minAvailable: random.between(1, instances),
    health: { path: '/ready', intervalMs: 500, withinMs: 400, timeoutMs: 10_000, successes: random.between(1, 2) },
    validation: random.chance(0.7) ? [readiness] : [],
    strategy: drawStrategy(random, instances),
    gates: drawGates(random),
    metrics: { main: { driver: 'memory' } },
    watch: { forMs: random.chance(0.3) ? 10_000 : 0, checks: gates.slice(0, 1), healthFailingMs: 5_000 },
    ...(random.chance(0.3) ? { confidence: drawConfidence(random) } : {}),
    platform: { driver: 'memory' },
    router: { driver: 'memory' },
    drainMs: random.pick([0, 1_000, 5_000]),
    stopGraceMs: 1_000,
    keepReleases: random.between(0, 2),
  };
}

function drawGates(random: Random): readonly GateCheck[] {
  const limits = random.chance(0.9) ? gates : [];
  const questions = random.chance(0.5) ? [{ ...asked, points: random.between(1, 2) }] : [];
  return [...(random.chance(0.4) ? [statistical] : []), ...limits, ...questions];
}

/** Scores are somewhere in the middle here, so these limits let all through, ask about all, or send some or all back. */
function drawConfidence(random: Random): ConfidencePolicy {
  const [goOn, ask] = random.pick([
    [0, 0],
    [100, 0],
    [80, 60],
    [65, 50],
    [100, 100],
  ] as const);
  return {
    at: random.pick([['beforeTraffic'], ['beforePromotion'], ['beforeTraffic', 'beforePromotion']] as const),
    criticality: random.pick(['low', 'critical'] as const),
    goOn,
    ask,
    weights: { safety: 25, health: 25, blastRadius: 15, history: 15, complexity: 10, coverage: 10 },
  };
}

function drawStrategy(random: Random, instances: number): StrategySpec {
  const kind = random.pick(['blue-green', 'canary', 'rolling'] as const);
  const promotion = random.chance(0.2) ? 'manual' : 'automatic';
  const keepOldMs = random.pick([0, 3_000, 20_000]);
  if (kind === 'blue-green') {
    return { kind, switchDelayMs: random.pick([0, 2_000]), observeMs: random.pick([0, 2_000]), keepOldMs, promotion };
  }
  if (kind === 'rolling') {
    const maxUnavailable = instances > 1 ? random.between(0, 1) : 0;
    return {
      kind,
      maxSurge: random.between(maxUnavailable === 0 ? 1 : 0, 2),
      maxUnavailable,
      observeMs: random.pick([0, 1_000]),
    };
  }
  const shares = random.pick([[10_000], [1_000, 10_000], [100, 2_500, 10_000], [500, 2_500, 5_000, 10_000]]);
  return {
    kind,
    stages: shares.map((share) => ({ share, holdMs: random.pick([0, 1_000, 3_000]), requests: random.pick([0, 5]) })),
    maxHoldMs: 20_000,
    promotion,
    ...(random.chance(0.3) ? { sticky: { cookie: 'sluice', maxAgeMs: 60_000 } } : {}),
    match: random.chance(0.2) ? [{ header: 'x-canary', equals: 'yes' }] : [],
    keepOldMs,
  };
}
