import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  block,
  blueGreen,
  canary,
  everything,
  fewErrors,
  notWorse,
  observedWith,
  planWith,
  ready,
  release,
  rolling,
  specWith,
  stepLines,
} from '../../../test/engine/specs.ts';
import { Failure } from '../../base/failure.ts';
import type { RouterCapabilities } from '../router-capabilities.ts';
import { compilePlan } from './compile.ts';
import type { Plan } from './plan.ts';
import type { CanaryStrategy } from './spec.ts';

function assertSteps(plan: Plan, expected: string): void {
  assert.equal(
    stepLines(plan),
    block(expected).replaceAll(/^(\w+) +/gm, (_, status: string) => `${status.padEnd(15)} `),
  );
}

function assertBack(plan: Plan, expected: string): void {
  assertSteps({ ...plan, steps: plan.back }, expected);
}

const backToOld = `
  ROLLING_BACK all traffic to shop@old
  ROLLING_BACK start again what is missing of 2 × shop@old, healthy within 30s
  ROLLING_BACK take all of shop@new out of traffic, requests in flight end within 5s
  ROLLING_BACK stop all of shop@new, by force after 2s
  ROLLING_BACK validate shop@old through the router: 1 check`;

test('the first deployment goes straight up behind health and validation, and back to nothing', () => {
  const plan = planWith({}, { stable: undefined, stableInstances: 0, stableWanted: 0, candidateStored: false });
  assert.equal(plan.strategy, 'first');
  assertSteps(
    plan,
    `BUILDING   copy shop@new into the release store
     DEPLOYING  start 2 × shop@new, healthy within 30s
     DEPLOYING  show shop@new at the preview address
     DEPLOYING  validate shop@new at the preview address: 1 check
     PROMOTING  100 % of traffic to shop@new
     PROMOTED   promote shop@new
     VERIFYING  validate shop@new through the router: 1 check`,
  );
  assertBack(
    plan,
    `ROLLING_BACK take all traffic away
     ROLLING_BACK take all of shop@new out of traffic, requests in flight end within 5s
     ROLLING_BACK stop all of shop@new, by force after 2s`,
  );
});

test('a release that is stable already only gets its number of instances', () => {
  const plan = planWith({ instances: 3 }, { candidate: release('old') });
  assert.equal(plan.strategy, 'same');
  assertSteps(
    plan,
    `DEPLOYING  start 3 × shop@old, healthy within 30s
     PROMOTING  100 % of traffic to shop@old
     PROMOTING  take all but 3 of shop@old out of traffic, requests in flight end within 5s
     PROMOTING  stop all but 3 of shop@old, by force after 2s
     PROMOTED   promote shop@old
     VERIFYING  validate shop@old through the router: 1 check`,
  );
  assertBack(
    plan,
    `ROLLING_BACK take all but 2 of shop@old out of traffic, requests in flight end within 5s
     ROLLING_BACK stop all but 2 of shop@old, by force after 2s`,
  );
});

test('blue-green validates beside the traffic, switches once and keeps the old release warm', () => {
  const plan = planWith();
  assert.equal(plan.strategy, 'blue-green');
  assertSteps(
    plan,
    `DEPLOYING  start 2 × shop@new, healthy within 30s
     DEPLOYING  show shop@new at the preview address
     DEPLOYING  validate shop@new at the preview address: 1 check
     PROMOTING  100 % of traffic to shop@new
     PROMOTED   promote shop@new, shop@old stays warm for 1m
     VERIFYING  validate shop@new through the router: 1 check`,
  );
  assertBack(plan, backToOld);
});

test('blue-green with every option waits, asks, looks behind the switch and takes the old release away', () => {
  const strategy = {
    ...blueGreen,
    switchDelayMs: 5_000,
    observeMs: 15_000,
    keepOldMs: 0,
    promotion: 'manual',
  } as const;
  assertSteps(
    planWith({ strategy, gates: [fewErrors, notWorse] }, { candidateStored: false }),
    `BUILDING   copy shop@new into the release store
     DEPLOYING  start 2 × shop@new, healthy within 30s
     DEPLOYING  show shop@new at the preview address
     DEPLOYING  validate shop@new at the preview address: 1 check
     DEPLOYING  wait 5s (switch delay)
     DEPLOYING  before the switch: wait for \`sluice promote\`
     PROMOTING  100 % of traffic to shop@new
     PROMOTED   promote shop@new
     VERIFYING  validate shop@new through the router: 1 check
     VERIFYING  behind the switch: at least 15s, 1 gate
     VERIFYING  take all of shop@old out of traffic, requests in flight end within 5s
     VERIFYING  stop all of shop@old, by force after 2s`,
  );
});

test('without validation nothing is validated, on the way back neither', () => {
  const plan = planWith({ validation: [] });
  assertSteps(
    plan,
    `DEPLOYING  start 2 × shop@new, healthy within 30s
     DEPLOYING  show shop@new at the preview address
     PROMOTING  100 % of traffic to shop@new
     PROMOTED   promote shop@new, shop@old stays warm for 1m`,
  );
  assert.equal(plan.back.length, 4);
});

test('without a preview address the candidate is validated at its instances', () => {
  const router = {
    driver: 'embedded',
    listen: { host: '127.0.0.1', port: 8080 },
    limits: { headerBytes: 16_384, idleMs: 1_000, answerMs: 1_000 },
    trustForwarded: false,
  } as const;
  const lines = stepLines(planWith({ router, validation: [ready, ready] }));
  assert.match(lines, /validate shop@new at its instances: 2 checks/);
  assert.doesNotMatch(lines, /preview/);
  const shown = stepLines(planWith({ router: { ...router, preview: { host: '127.0.0.1', port: 8081 } } }));
  assert.match(shown, /validate shop@new at the preview address/);
});

test('canary gives traffic stage by stage, and each stage holds until its gates pass', () => {
  const plan = planWith({ strategy: canary, gates: [fewErrors, notWorse] });
  assert.equal(plan.strategy, 'canary');
  assertSteps(
    plan,
    `DEPLOYING       start 2 × shop@new, healthy within 30s
     DEPLOYING       show shop@new at the preview address
     DEPLOYING       validate shop@new at the preview address: 1 check
     CANARY          10 % of traffic to shop@new
     CANARY_WAITING  stage 1 of 3, 10 %: at least 10s, 20 requests, 2 gates
     CANARY          50 % of traffic to shop@new
     CANARY_WAITING  stage 2 of 3, 50 %: at least 10s, 20 requests, 2 gates
     PROMOTING       100 % of traffic to shop@new
     PROMOTED        promote shop@new, shop@old stays warm for 1m
     VERIFYING       validate shop@new through the router: 1 check`,
  );
  assertBack(plan, backToOld);
});

test('a manual canary asks after each stage, and looks behind the switch as long as its last stage says', () => {
  const strategy: CanaryStrategy = {
    ...canary,
    stages: [
      { share: 500, holdMs: 1_000, requests: 0 },
      { share: 10_000, holdMs: 30_000, requests: 0 },
    ],
    promotion: 'manual',
    keepOldMs: 0,
  };
  assertSteps(
    planWith({ strategy, gates: [fewErrors, notWorse], validation: [] }),
    `DEPLOYING       start 2 × shop@new, healthy within 30s
     DEPLOYING       show shop@new at the preview address
     CANARY          5 % of traffic to shop@new
     CANARY_WAITING  stage 1 of 2, 5 %: at least 1s, 2 gates, then \`sluice promote\`
     PROMOTING       100 % of traffic to shop@new
     PROMOTED        promote shop@new
     VERIFYING       behind the switch: at least 30s, 1 gate
     VERIFYING       take all of shop@old out of traffic, requests in flight end within 5s
     VERIFYING       stop all of shop@old, by force after 2s`,
  );
});

test('rolling replaces one instance after the other and never runs more than one beyond what is wanted', () => {
  const plan = planWith({ strategy: rolling, instances: 3 }, { stableInstances: 3, stableWanted: 3 });
  assert.equal(plan.strategy, 'rolling');
  assertSteps(
    plan,
    `DEPLOYING  start 1 × shop@new, healthy within 30s
     DEPLOYING  validate shop@new at its instances: 1 check
     PROMOTING  33.33 % of traffic to shop@new
     PROMOTING  take all but 2 of shop@old out of traffic, requests in flight end within 5s
     PROMOTING  stop all but 2 of shop@old, by force after 2s
     PROMOTING  start 2 × shop@new, healthy within 30s
     PROMOTING  66.66 % of traffic to shop@new
     PROMOTING  take all but 1 of shop@old out of traffic, requests in flight end within 5s
     PROMOTING  stop all but 1 of shop@old, by force after 2s
     PROMOTING  start 3 × shop@new, healthy within 30s
     PROMOTING  100 % of traffic to shop@new
     PROMOTING  take all of shop@old out of traffic, requests in flight end within 5s
     PROMOTING  stop all of shop@old, by force after 2s
     PROMOTED   promote shop@new
     VERIFYING  validate shop@new through the router: 1 check`,
  );
});

test('rolling without surge takes old instances away first, and their traffic before them', () => {
  const strategy = { ...rolling, maxSurge: 0, maxUnavailable: 1, observeMs: 2_000 };
  assertSteps(
    planWith({ strategy, validation: [], gates: [fewErrors, notWorse] }, { candidateStored: false }),
    `BUILDING   copy shop@new into the release store
     DEPLOYING  take all but 1 of shop@old out of traffic, requests in flight end within 5s
     DEPLOYING  stop all but 1 of shop@old, by force after 2s
     DEPLOYING  start 1 × shop@new, healthy within 30s
     PROMOTING  50 % of traffic to shop@new
     PROMOTING  after batch 1 of 2: at least 2s, 2 gates
     PROMOTING  100 % of traffic to shop@new
     PROMOTING  take all of shop@old out of traffic, requests in flight end within 5s
     PROMOTING  stop all of shop@old, by force after 2s
     PROMOTING  start 2 × shop@new, healthy within 30s
     PROMOTING  100 % of traffic to shop@new
     PROMOTED   promote shop@new
     VERIFYING  behind the switch: at least 2s, 1 gate`,
  );
});

test('a rollback to a warm release is one switch; nothing is asked or started before it', () => {
  const plan = planWith({}, { purpose: 'rollback', candidateWarm: true });
  assert.equal(plan.strategy, 'rollback');
  assertSteps(
    plan,
    `PROMOTING  100 % of traffic to shop@new
     PROMOTED   promote shop@new
     VERIFYING  validate shop@new through the router: 1 check
     VERIFYING  take all of shop@old out of traffic, requests in flight end within 5s
     VERIFYING  stop all of shop@old, by force after 2s`,
  );
});

test('a rollback to a cold release starts and validates it first, whatever the strategy of its specification', () => {
  for (const strategy of [blueGreen, canary, rolling]) {
    assertSteps(
      planWith({ strategy }, { purpose: 'rollback' }),
      `DEPLOYING  start 2 × shop@new, healthy within 30s
       DEPLOYING  show shop@new at the preview address
       DEPLOYING  validate shop@new at the preview address: 1 check
       PROMOTING  100 % of traffic to shop@new
       PROMOTED   promote shop@new
       VERIFYING  validate shop@new through the router: 1 check
       VERIFYING  take all of shop@old out of traffic, requests in flight end within 5s
       VERIFYING  stop all of shop@old, by force after 2s`,
    );
  }
});

const refusals: readonly (readonly [string, Partial<CanaryStrategy>, Partial<RouterCapabilities>, RegExp])[] = [
  [
    'strategy.canary.sticky',
    { sticky: { cookie: 'c', maxAgeMs: 1 } },
    { sticky: false },
    /`memory` cannot do what the plan needs: sticky sessions/,
  ],
  [
    'strategy.canary.match',
    { match: [{ header: 'x-canary', equals: 'yes' }] },
    { rules: { header: false, cookie: true } },
    /header rules/,
  ],
  [
    'strategy.canary.match',
    { match: [{ cookie: 'beta', equals: 'yes' }] },
    { rules: { header: true, cookie: false } },
    /cookie rules/,
  ],
  ['gates', {}, { feed: false }, /a feed of requests/],
  [
    'strategy.canary.stages[0]',
    {
      stages: [
        { share: 150, holdMs: 0, requests: 0 },
        { share: 10_000, holdMs: 0, requests: 0 },
      ],
    },
    { granularity: 100 },
    /a share finer than 1 %/,
  ],
];

for (const [at, change, capabilities, message] of refusals) {
  test(`at ${at} it is refused before anything starts: ${message.source}`, () => {
    const spec = specWith({ strategy: { ...canary, ...change } });
    assert.doesNotThrow(() => compilePlan(spec, observedWith(), everything));
    assert.throws(
      () => compilePlan(spec, observedWith(), { ...everything, ...capabilities }),
      (thrown) =>
        thrown instanceof Failure &&
        thrown.code === 'plan.unsupported' &&
        thrown.at === at &&
        thrown.remedy.includes(at) &&
        message.test(thrown.message),
    );
  });
}

test('what a strategy does not use is not asked of the router', () => {
  const nothing: RouterCapabilities = {
    feed: false,
    sticky: false,
    rules: { header: false, cookie: false },
    preview: false,
    cuts: true,
    granularity: 10_000,
  };
  assert.doesNotThrow(() => compilePlan(specWith({ gates: [] }), observedWith(), nothing));
});

test('the longest time leaves room for every step of the way forward and of the way back', () => {
  const quick = planWith({ strategy: { ...blueGreen, switchDelayMs: 1_000 } });
  const slow = planWith({ strategy: { ...blueGreen, switchDelayMs: 61_000 } });
  assert.equal(slow.longestMs - quick.longestMs, 60_000);
  for (const strategy of [blueGreen, canary, rolling]) {
    const plan = planWith({ strategy });
    let least = 0;
    for (const { step } of [...plan.steps, ...plan.back]) {
      if (step.kind === 'start') least += step.timeoutMs;
      if (step.kind === 'hold') least += step.maxMs;
      if (step.kind === 'drain') least += step.withinMs;
      if (step.kind === 'stop') least += step.graceMs;
    }
    assert.ok(plan.longestMs > least, strategy.kind);
  }
});

test('a deployment has time for the longest of its checks, with all attempts, wherever it is asked', () => {
  const long = { ...ready, withinMs: 1_800_000, attempts: 2, pauseMs: 60_000 };
  const [usual, longer] = [planWith(), planWith({ validation: [long] })];
  const asked = [...longer.steps, ...longer.back].filter(({ step }) => step.kind === 'validate').length;
  const more = 2 * 1_800_000 + 60_000 - ready.withinMs;
  assert.equal(longer.longestMs - usual.longestMs, asked * more);
});
