// Specifications, releases and plans for tests of the core and the engine: one plain service, changed where a test says so.

import { compilePlan } from '../../src/core/plan/compile.ts';
import { describeStep } from '../../src/core/plan/describe-step.ts';
import type { Observed, Plan, PlannedStep } from '../../src/core/plan/plan.ts';
import type { BlueGreenStrategy, CanaryStrategy, DeploySpec, RollingStrategy } from '../../src/core/plan/spec.ts';
import type { ConfidencePolicy } from '../../src/core/decision/confidence.ts';
import type { SampleCheck } from '../../src/core/gate/check.ts';
import type { Release } from '../../src/core/release.ts';
import type { RouterCapabilities } from '../../src/core/router-capabilities.ts';
import type { Scope } from '../../src/core/scope.ts';
import type { HttpCheck } from '../../src/core/validation/check.ts';

export const scope: Scope = { service: 'shop', environment: 'production' };

export const ready: HttpCheck = {
  kind: 'http',
  url: '/ready',
  method: 'GET',
  headers: {},
  status: [{ from: 200, to: 299 }],
  expectHeaders: {},
  expectJson: {},
  concurrency: 1,
  withinMs: 1_000,
  attempts: 1,
  pauseMs: 0,
};

export const fewErrors: SampleCheck = {
  kind: 'absolute',
  metric: 'errorRate',
  bound: 'max',
  limit: 0.2,
  minSamples: 10,
};

export const notWorse: SampleCheck = {
  kind: 'relative',
  metric: 'errorRate',
  unit: 'points',
  limit: 0.1,
  minSamples: 10,
};

export const blueGreen: BlueGreenStrategy = {
  kind: 'blue-green',
  switchDelayMs: 0,
  observeMs: 0,
  keepOldMs: 60_000,
  promotion: 'automatic',
};

/** 10 %, 50 %, all; 10 s and 20 requests each. */
export const canary: CanaryStrategy = {
  kind: 'canary',
  stages: [
    { share: 1_000, holdMs: 10_000, requests: 20 },
    { share: 5_000, holdMs: 10_000, requests: 20 },
    { share: 10_000, holdMs: 0, requests: 0 },
  ],
  maxHoldMs: 60_000,
  promotion: 'automatic',
  match: [],
  keepOldMs: 60_000,
};

export const rolling: RollingStrategy = { kind: 'rolling', maxSurge: 1, maxUnavailable: 0, observeMs: 0 };

/** A policy that asks at both points, with the usual weights. */
export function asking(limits: Pick<ConfidencePolicy, 'goOn' | 'ask'>): ConfidencePolicy {
  return {
    at: ['beforeTraffic', 'beforePromotion'],
    criticality: 'medium',
    ...limits,
    weights: { safety: 25, health: 25, blastRadius: 15, history: 15, complexity: 10, coverage: 10 },
  };
}

/** Two instances, blue-green, validated by `/ready`, one gate, no watch. */
export function specWith(changes: Partial<DeploySpec> = {}): DeploySpec {
  return {
    scope,
    source: { kind: 'directory', directory: '/src/v1', ignore: [] },
    run: { command: ['serve'], environment: {}, workingDirectory: '.', limits: {} },
    instances: 2,
    minAvailable: 1,
    health: { path: '/health', intervalMs: 1_000, withinMs: 500, timeoutMs: 30_000, successes: 1 },
    validation: [ready],
    strategy: blueGreen,
    gates: [fewErrors],
    watch: { forMs: 0, checks: [], healthFailingMs: 10_000 },
    platform: { driver: 'memory' },
    router: { driver: 'memory' },
    drainMs: 5_000,
    stopGraceMs: 2_000,
    keepReleases: 2,
    ...changes,
  };
}

/** A release whose name can be read: `shop@new`. */
export function release(name: string): Release {
  return {
    id: `shop@${name}`,
    service: 'shop',
    artifact: { kind: 'directory', source: `/src/${name}`, digest: `sha256:${name}` },
    run: { command: ['serve'], environment: {}, workingDirectory: '.', limits: {} },
  };
}

export const everything: RouterCapabilities = {
  feed: true,
  sticky: true,
  rules: { header: true, cookie: true },
  preview: true,
  cuts: true,
  granularity: 1,
};

/** `shop@old` runs with as many instances as it should, `shop@new` is in the release store. */
export function observedWith(changes: Partial<Observed> = {}): Observed {
  return {
    candidate: release('new'),
    purpose: 'deploy',
    stable: release('old'),
    stableInstances: 2,
    stableWanted: 2,
    candidateWarm: false,
    candidateStored: true,
    ...changes,
  };
}

export function planWith(spec: Partial<DeploySpec> = {}, observed: Partial<Observed> = {}): Plan {
  return compilePlan(specWith(spec), observedWith(observed), everything);
}

/** Steps as people read them, one a line, each with the state that it belongs to. */
export function stepLines(plan: Plan, steps: readonly PlannedStep[] = plan.steps): string {
  return steps.map((planned) => `${planned.status.padEnd(15)} ${describeStep(planned, plan)}`).join('\n');
}

/** A text block without the indentation that it has in the test. */
export function block(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}
