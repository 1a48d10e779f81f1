// For tests: deployments as they really come about, told by the core itself from events.

import { compilePlan } from '../core/plan/compile.ts';
import type { DeploySpec, StrategySpec } from '../core/plan/spec.ts';
import type { Release } from '../core/release.ts';
import type { Outcome, Judgement } from '../core/gate/verdict.ts';
import type { Instance } from '../core/instance.ts';
import { beginRollout } from '../core/rollout/begin.ts';
import { describeEvent } from '../core/rollout/describe-event.ts';
import type { EffectResult } from '../core/rollout/effect.ts';
import type { RolloutEvent } from '../core/rollout/event.ts';
import type { EventRecord } from '../core/rollout/record.ts';
import { currentStep, type Rollout } from '../core/rollout/rollout.ts';
import { transition } from '../core/rollout/transition.ts';

/** 2026-11-21 12:00:00 UTC. */
export const noon = Date.UTC(2026, 10, 21, 12);

export const scope = { service: 'shop', environment: 'production' };

export const canary: StrategySpec = {
  kind: 'canary',
  stages: [
    { share: 100, holdMs: 60_000, requests: 100 },
    { share: 1000, holdMs: 60_000, requests: 500 },
    { share: 10_000, holdMs: 0, requests: 0 },
  ],
  maxHoldMs: 3_600_000,
  promotion: 'automatic',
  match: [],
  keepOldMs: 600_000,
};

export const blueGreen: StrategySpec = {
  kind: 'blue-green',
  switchDelayMs: 0,
  observeMs: 0,
  keepOldMs: 600_000,
  promotion: 'automatic',
};

export function spec(strategy: StrategySpec): DeploySpec {
  const http = { method: 'GET', headers: {}, status: [], expectHeaders: {}, expectJson: {}, concurrency: 1 };
  return {
    scope,
    source: { kind: 'directory', directory: '/srv/shop/dist', ignore: [] },
    run: { command: ['node', 'server.js'], environment: {}, workingDirectory: '.', limits: {} },
    instances: 2,
    minAvailable: 1,
    health: { path: '/health', intervalMs: 1000, withinMs: 1000, timeoutMs: 300_000, successes: 1 },
    validation: [{ kind: 'http', url: '/health', ...http, withinMs: 1000, attempts: 1, pauseMs: 0 }],
    strategy,
    gates: [
      { kind: 'absolute', metric: 'errorRate', bound: 'max', limit: 0.05, minSamples: 20 },
      { kind: 'relative', metric: 'p95', unit: 'factor', limit: 0.2, minSamples: 50 },
    ],
    watch: { forMs: 900_000, checks: [], healthFailingMs: 120_000 },
    platform: { driver: 'memory' },
    router: { driver: 'memory' },
    drainMs: 30_000,
    stopGraceMs: 10_000,
    keepReleases: 5,
  };
}

export function release(id: string, label?: string): Release {
  return {
    id,
    service: 'shop',
    artifact: { kind: 'directory', source: '/srv/shop/dist', digest: 'sha256:00' },
    run: { command: ['node', 'server.js'], environment: {}, workingDirectory: '.', limits: {} },
    label,
  };
}

export const newRelease = release('shop@8d1f0a2b3c4d', '1.4.2');
export const oldRelease = release('shop@3f9c2a1b7d04', '1.4.1');

export function instance(id: string, of: Release, port: number): Instance {
  return {
    id,
    release: of.id,
    deployment: 'd-1',
    address: { host: '127.0.0.1', port },
    state: 'running',
    startedAt: noon,
    restarts: 0,
  };
}

const capabilities = {
  feed: true,
  sticky: true,
  rules: { header: true, cookie: true },
  preview: true,
  cuts: true,
  granularity: 1,
};

/** An event without its time and actor, which the story adds. */
type Told = RolloutEvent extends infer E ? (E extends RolloutEvent ? Omit<E, 'at' | 'actor'> : never) : never;

export interface StoryOptions {
  readonly strategy: StrategySpec;
  /** Whether there is a stable release before. */
  readonly first?: boolean;
  readonly purpose?: 'deploy' | 'rollback';
  readonly id?: string;
}

/** One deployment, event by event. */
export class Story {
  readonly records: EventRecord[] = [];
  rollout: Rollout;

  constructor({ strategy, first, purpose, id }: StoryOptions) {
    const stable = first === true ? undefined : oldRelease;
    const observed = {
      candidate: newRelease,
      purpose: purpose ?? 'deploy',
      stable,
      stableInstances: stable === undefined ? 0 : 2,
      stableWanted: stable === undefined ? 0 : 2,
      candidateWarm: false,
      candidateStored: false,
    } as const;
    this.rollout = beginRollout({
      id: id ?? 'd-20261121-7k3f9q',
      plan: { ...compilePlan(spec(strategy), observed, capabilities), longestMs: 9_000_000 },
      at: noon,
      actor: 'alice@desk',
      revision: 4,
      stable: stable === undefined ? [] : endpoints('old', 4001),
      candidate: [],
    });
  }

  /** Lets something happen `afterMs` after what happened last. */
  tell(event: Told, afterMs = 0, actor = 'sluice'): this {
    const before = this.rollout;
    const whole = { ...event, at: before.at + afterMs, actor } as RolloutEvent;
    const [after] = transition(before, whole);
    this.rollout = after;
    this.records.push({
      sequence: 100 + this.records.length,
      at: after.at,
      scope,
      deployment: after.id,
      version: after.version,
      from: before.status,
      to: after.status,
      actor,
      event: whole,
      words: describeEvent(before, whole, after),
    });
    return this;
  }

  start(): this {
    return this.tell({ kind: 'started' }, 0, 'alice@desk');
  }

  /** Carries out everything that is ordered, to the next hold or the end. */
  settle(): this {
    for (let count = 0; count < 100 && this.rollout.awaiting !== undefined; count += 1)
      this.tell({ kind: 'effect-done', effect: this.rollout.awaiting, result: this.#result() }, 500);
    return this;
  }

  judged(judgement: Judgement, afterMs: number, minimumsReached = true): this {
    return this.tell({ kind: 'judged', hold: this.rollout.hold?.id ?? '', judgement, minimumsReached }, afterMs);
  }

  #result(): EffectResult {
    const step = currentStep(this.rollout)?.step;
    if (step?.kind === 'start') {
      const started = step.role === 'stable' ? endpoints('old', 4001) : endpoints('new', 4101);
      return { kind: 'endpoints', endpoints: started };
    }
    return step?.kind === 'drain' ? { kind: 'drained', cut: 0 } : { kind: 'nothing' };
  }
}

function endpoints(name: string, port: number) {
  return [0, 1].map((index) => ({
    instance: `${name}-${index + 1}`,
    address: { host: '127.0.0.1', port: port + index },
  }));
}

export function judgement(outcome: Outcome, requests: number, errors: number): Judgement {
  const rate = requests === 0 ? 0 : errors / requests;
  return {
    outcome,
    verdicts: [
      {
        check: 'error rate at most 5 %',
        outcome,
        reason: `error rate is ${Number((rate * 100).toFixed(2))} % on ${requests} requests, allowed is at most 5 %`,
        samples: requests,
      },
      {
        check: 'p95 at most 20 % worse than stable',
        outcome: outcome === 'fail' ? 'inconclusive' : outcome,
        reason: `p95 is 41 ms against 39 ms of stable on ${requests} and 10840 requests, allowed is 47 ms`,
        samples: requests,
      },
    ],
    candidate: { release: newRelease.id, requests, errors, unanswered: 0, p50: 12, p95: 41, p99: 88 },
    stable: { release: oldRelease.id, requests: 10_840, errors: 9, unanswered: 0, p50: 11, p95: 39.2, p99: 84 },
    lost: 0,
  };
}

/** Stories at the points that people look at. */
export const stories = {
  canaryInProgress: () =>
    new Story({ strategy: canary })
      .start()
      .settle()
      .judged(judgement('inconclusive', 96, 0), 60_000)
      .judged(judgement('pass', 240, 0), 4000)
      .settle()
      .judged(judgement('inconclusive', 312, 1), 42_000, false),
  blueGreenVerified: () => new Story({ strategy: blueGreen }).start().settle(),
  rolledBack: () =>
    new Story({ strategy: canary })
      .start()
      .settle()
      .judged(judgement('fail', 24, 6), 1500, false)
      .settle(),
  paused: () =>
    new Story({ strategy: canary })
      .start()
      .settle()
      .tell({ kind: 'pause', reason: 'look at the slow query first' }, 20_000, 'bob@desk'),
  awaitingApproval: () =>
    new Story({ strategy: { ...canary, promotion: 'manual' } })
      .start()
      .settle()
      .judged(judgement('inconclusive', 96, 0), 60_000)
      .judged(judgement('pass', 240, 0), 4000),
  failed: () => {
    const story = new Story({ strategy: canary })
      .start()
      .settle()
      .judged(judgement('fail', 24, 6), 1500, false);
    const failure = {
      code: 'router.unreachable',
      message: 'the router at /run/sluice/proxy.sock does not answer',
      at: '/run/sluice/proxy.sock',
      remedy: 'Start it with `sluice server`, then send all traffic back with `sluice abort`.',
    } as const;
    return story.tell({ kind: 'effect-failed', effect: story.rollout.awaiting ?? '', failure }, 60_000);
  },
  first: () => new Story({ strategy: canary, first: true }).start().settle(),
} satisfies Record<string, () => Story>;
