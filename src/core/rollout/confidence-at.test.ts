import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asking, blueGreen, canary, planWith, release, rolling, stepLines } from '../../../test/engine/specs.ts';
import { Walk } from '../../../test/engine/walk.ts';
import type { ConfidencePolicy } from '../decision/confidence.ts';
import type { Plan } from '../plan/plan.ts';
import type { DeploySpec } from '../plan/spec.ts';
import { describeEvent } from './describe-event.ts';

const sure = asking({ goOn: 0, ask: 0 });
const unsure = asking({ goOn: 100, ask: 0 });
const low = asking({ goOn: 100, ask: 100 });

function withPolicy(confidence: ConfidencePolicy, strategy: DeploySpec['strategy'] = canary): Plan {
  return planWith({ confidence, strategy, instances: 3 }, { stableInstances: 3, stableWanted: 3 });
}

/** The steps that ask for a score, each with the step behind it. */
function asked(plan: Plan): readonly string[] {
  const lines = stepLines(plan).split('\n');
  return plan.steps.flatMap(({ step }, index) =>
    step.kind === 'hold' && step.confidence !== undefined
      ? [`${step.confidence}: ${step.name} → ${lines[index + 1]?.replace(/^\w+ +/, '')}`]
      : [],
  );
}

test('a score is asked for before the first traffic and before all of it, once where they are the same', () => {
  const cases: readonly (readonly [DeploySpec['strategy'], readonly string[]])[] = [
    [
      canary,
      [
        'beforeTraffic: before traffic → 10 % of traffic to shop@new',
        'beforePromotion: stage 2 of 3, 50 % → 100 % of traffic to shop@new',
      ],
    ],
    [
      { ...canary, stages: [{ share: 10_000, holdMs: 0, requests: 0 }] },
      ['beforeTraffic: before traffic → 100 % of traffic to shop@new'],
    ],
    [blueGreen, ['beforeTraffic: before traffic → 100 % of traffic to shop@new']],
    [
      { ...rolling, observeMs: 1_000 },
      [
        'beforeTraffic: before traffic → 33.33 % of traffic to shop@new',
        'beforePromotion: after batch 2 of 3 → start 3 × shop@new, healthy within 30s',
      ],
    ],
    [
      rolling,
      [
        'beforeTraffic: before traffic → 33.33 % of traffic to shop@new',
        'beforePromotion: before the promotion → start 3 × shop@new, healthy within 30s',
      ],
    ],
  ];
  for (const [strategy, expected] of cases) assert.deepEqual(asked(withPolicy(sure, strategy)), expected);
  assert.deepEqual(asked(withPolicy({ ...sure, at: ['beforePromotion'] })), [
    'beforePromotion: stage 2 of 3, 50 % → 100 % of traffic to shop@new',
  ]);
  const first = planWith({ confidence: sure }, { stable: undefined, stableInstances: 0, stableWanted: 0 });
  assert.deepEqual(asked(first), ['beforeTraffic: before traffic → 100 % of traffic to shop@new']);
  for (const other of [{ candidate: release('old') }, { purpose: 'rollback' }] as const)
    assert.deepEqual(asked(planWith({ confidence: sure }, other)), []);
});

test('with a score that is high enough nobody is asked, and the scores are kept', () => {
  const walk = new Walk(withPolicy(sure)).until('VERIFIED');
  assert.deepEqual(
    walk.rollout.confidences?.map(({ point, outcome }) => `${point} ${outcome}`),
    ['beforeTraffic advance', 'beforePromotion advance'],
  );
  const [before, after] = walk.rollout.confidences ?? [];
  const health = (factors = before?.factors): boolean => factors?.some(({ name }) => name === 'health') ?? false;
  assert.deepEqual([health(), health(after?.factors)], [false, true]);
});

test('a score in between asks a person, who says yes with promote, before traffic and before the promotion', () => {
  const walk = new Walk(withPolicy(unsure)).until('AWAITING_APPROVAL');
  assert.equal(walk.rollout.share, 0);
  assert.match(walk.rollout.reason ?? '', /^before traffic: confidence [\d.]+ of 100, 100 needed to go on/);
  assert.match(walk.rollout.reason ?? '', /waits for `sluice promote`$/);
  walk.take({ kind: 'promote', full: false }, 'ann@desk');
  assert.equal(walk.rollout.share, 1_000);
  walk.until('AWAITING_APPROVAL');
  assert.equal(walk.rollout.share, 5_000);
  walk.until('VERIFIED');
});

test('while a person is asked before the promotion the gates go on looking, and a failing one goes back', () => {
  const plan = withPolicy({ ...unsure, at: ['beforePromotion'] });
  const walk = new Walk(plan).until('AWAITING_APPROVAL');
  walk.judged('pass', true);
  assert.equal(walk.rollout.status, 'AWAITING_APPROVAL');
  walk.judged('fail', true);
  assert.deepEqual([walk.rollout.status, walk.rollout.failure?.code], ['ROLLING_BACK', 'gate.failed']);
});

test('a score that is too low goes back before any traffic', () => {
  const walk = new Walk(withPolicy(low)).until('ROLLED_BACK');
  assert.equal(walk.rollout.failure?.code, 'confidence.low');
  assert.match(walk.rollout.reason ?? '', /100 needed to ask a person; what costs most/);
  const routed = [...walk.effects.values()].filter(({ kind }) => kind === 'apply');
  assert.ok(
    routed.every(
      (action) =>
        action.kind === 'apply' &&
        !action.routes.groups.some(({ release: id, share }) => id === 'shop@new' && share > 0),
    ),
  );
});

test('the record says that a score was made, not that some time was over', () => {
  const walk = new Walk(withPolicy(unsure)).until('DEPLOYING');
  while (walk.rollout.hold === undefined) walk.goWell();
  const before = walk.rollout;
  const after = walk.timeComes().rollout;
  const event = walk.events.at(-1) ?? assert.fail();
  assert.match(
    describeEvent(before, event, after),
    /^the confidence score is made; waits for a person: before traffic/,
  );
});

test('a person’s word to go to all traffic is not asked about again', () => {
  const walk = new Walk(withPolicy({ ...low, at: ['beforePromotion'] })).until('CANARY_WAITING');
  walk.take({ kind: 'promote', full: true }, 'ann@desk').until('VERIFIED');
  assert.equal(walk.rollout.confidences, undefined);
});

test('with manual promotion a person is always asked, and told the score', () => {
  const walk = new Walk(withPolicy(sure, { ...blueGreen, promotion: 'manual' })).until('AWAITING_APPROVAL');
  assert.match(walk.rollout.reason ?? '', /^before traffic: ready, confidence [\d.]+ of 100; waits for/);
  const back = new Walk(withPolicy(low, { ...blueGreen, promotion: 'manual' })).until('ROLLED_BACK');
  assert.equal(back.rollout.failure?.code, 'confidence.low');
});

test('blast radius grows with what the next step gives', () => {
  const walk = new Walk(withPolicy(sure)).until('VERIFIED');
  const radius = walk.rollout.confidences?.map(({ factors }) => factors.find(({ name }) => name === 'blastRadius'));
  assert.match(
    radius?.[0]?.reason ?? '',
    /^10 % of the traffic of a service of medium criticality, 0 of 3 instances at once, the old release goes on running$/,
  );
  assert.match(radius?.[1]?.reason ?? '', /^100 % of the traffic/);
  assert.ok((radius?.[0]?.value ?? 0) > (radius?.[1]?.value ?? 0));
});
