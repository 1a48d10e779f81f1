// The table against the code: whatever happens in whatever order, every change is in the table, and what is in the table happens.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { asking, blueGreen, canary, planWith, release, rolling } from '../../../test/engine/specs.ts';
import { endpoints, failure, judgement, Walk } from '../../../test/engine/walk.ts';
import type { Plan } from '../plan/plan.ts';
import { allTraffic } from '../routes.ts';
import { isAllowed, machine } from './machine.ts';
import type { Rollout } from './rollout.ts';
import { finalStatuses, isFinal, statuses } from './status.ts';
import { transition } from './transition.ts';

const slow = { ...canary, stages: canary.stages.map((stage) => ({ ...stage, holdMs: 5_000 })) };
const cold = { purpose: 'rollback' } as const;
const none = { stable: undefined, stableInstances: 0, stableWanted: 0, candidateStored: false } as const;

/** Scores that are sure to be high enough, to need a person, and to be too low. */
const sure = asking({ goOn: 0, ask: 0 });
const unsure = asking({ goOn: 100, ask: 0 });
const tooLow = asking({ goOn: 100, ask: 100 });

const plans: readonly Plan[] = [
  planWith({}, none),
  planWith({ instances: 3 }, { candidate: release('old') }),
  planWith(),
  planWith({ strategy: { ...blueGreen, switchDelayMs: 1_000, observeMs: 1_000, keepOldMs: 0 } }),
  planWith({ strategy: { ...blueGreen, promotion: 'manual' } }, { candidateStored: false }),
  planWith({ strategy: canary }),
  planWith({ strategy: { ...slow, promotion: 'manual', keepOldMs: 0 } }, { candidateStored: false }),
  planWith({ strategy: slow, gates: [] }),
  planWith({ strategy: rolling, instances: 3 }, { stableInstances: 3, stableWanted: 3 }),
  planWith({ strategy: { ...rolling, maxSurge: 0, maxUnavailable: 1, observeMs: 1_000 } }),
  planWith({ validation: [], strategy: { ...blueGreen, promotion: 'manual' } }),
  planWith({}, cold),
  planWith({}, { ...cold, candidateWarm: true }),
  planWith({}, { ...cold, candidateStored: false, candidateWarm: true }),
  planWith({ validation: [], minAvailable: 2 }, { stableInstances: 1 }),
  planWith({ confidence: unsure }, none),
  planWith({ confidence: unsure }),
  planWith({ confidence: sure, strategy: { ...blueGreen, promotion: 'manual' } }),
  planWith({ confidence: unsure, strategy: canary }),
  planWith({ confidence: sure, strategy: slow }),
  planWith({ confidence: { ...tooLow, at: ['beforePromotion'] }, strategy: slow }),
  planWith({ confidence: tooLow, strategy: canary }),
  planWith({ confidence: unsure, strategy: rolling, instances: 3 }, { stableInstances: 3, stableWanted: 3 }),
  planWith({ confidence: unsure, strategy: { ...rolling, observeMs: 1_000 } }),
  planWith({ confidence: { ...tooLow, at: ['beforePromotion'] }, strategy: rolling }),
];

/** What may happen to a deployment at any moment, sensible or not. */
const happenings: readonly ((walk: Walk) => Walk)[] = [
  (walk) => walk.goWell(),
  (walk) => (walk.awaited === undefined ? walk : walk.done()),
  (walk) => walk.failed(),
  (walk) => walk.take({ kind: 'effect-done', effect: 'd-1#0', result: { kind: 'nothing' } }),
  (walk) => walk.take({ kind: 'effect-failed', effect: 'd-1#0', failure }),
  (walk) => walk.take({ kind: 'effect-retried', effect: walk.rollout.awaiting ?? 'none', failure }),
  (walk) => walk.take({ kind: 'time-came' }),
  (walk) => walk.timeComes(),
  (walk) => {
    walk.at = Math.max(walk.at, walk.rollout.deadlineAt);
    return walk.take({ kind: 'time-came' });
  },
  (walk) => walk.judged('pass', true),
  (walk) => walk.judged('pass', false),
  (walk) => walk.judged('inconclusive', true),
  (walk) => walk.judged('fail', false),
  (walk) => walk.take({ kind: 'judged', hold: 'd-1/99', judgement: judgement('fail'), minimumsReached: true }),
  (walk) => walk.take({ kind: 'fleet-changed', role: 'stable', endpoints: endpoints('old', 1), reason: 'moved' }),
  (walk) => walk.take({ kind: 'fleet-changed', role: 'candidate', endpoints: endpoints('new', 1), reason: 'moved' }),
  (walk) => walk.take({ kind: 'candidate-lost', failure }),
  (walk) => walk.take({ kind: 'recovered', previous: 'c-1 on a' }),
  (walk) => walk.take({ kind: 'promote', full: false }, 'ann@desk'),
  (walk) => walk.take({ kind: 'promote', full: true }, 'ann@desk'),
  (walk) => walk.take({ kind: 'pause', reason: 'lunch' }, 'ann@desk'),
  (walk) => walk.take({ kind: 'resume' }, 'ann@desk'),
  (walk) => walk.take({ kind: 'abort', reason: 'enough' }, 'ann@desk'),
];

/** Mostly what goes well, so that walks come far; otherwise anything. */
const paths = fc.tuple(
  fc.nat({ max: plans.length - 1 }),
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat({ max: happenings.length - 1 }) },
    ),
    { maxLength: 60 },
  ),
);

type Path = typeof paths extends fc.Arbitrary<infer T> ? T : never;

function* walked([plan, acts]: Path) {
  const chosen = plans[plan];
  assert.ok(chosen !== undefined);
  const walk = new Walk(chosen).start();
  yield walk;
  for (const act of acts) {
    walk.at += 100;
    happenings[act]?.(walk);
    yield walk;
  }
}

/** The walk at its end. */
function end(path: Path): Walk {
  let last: Walk | undefined;
  for (const walk of walked(path)) last = walk;
  assert.ok(last !== undefined);
  return last;
}

const runs = { seed: 11, numRuns: 3_000 };

test('whatever happens in whatever order, every change is in the table and sound', () => {
  // `take` throws where a change is not in the table or an invariant is broken.
  fc.assert(
    fc.property(paths, (path) => {
      for (const { rollout } of walked(path)) assertPlain(rollout);
    }),
    runs,
  );
});

function assertPlain(rollout: Rollout): void {
  assert.ok(rollout.share >= 0 && rollout.share <= allTraffic);
  assert.equal(rollout.endedAt !== undefined, isFinal(rollout.status), 'a deployment that has ended says when');
  if (isFinal(rollout.status))
    assert.deepEqual([rollout.awaiting, rollout.queue, rollout.resume], [undefined, [], undefined]);
  if (rollout.status === 'PAUSED') assert.ok(rollout.resume !== undefined, 'a pause knows where it began');
  if (rollout.course === 'back') assert.ok(rollout.reason !== undefined, 'going back has a reason');
}

test('routes that are ordered add up, and their revisions only grow', () => {
  fc.assert(
    fc.property(paths, (path) => {
      let revision = 0;
      for (const walk of walked(path)) {
        for (const { action } of walk.issued) {
          if (action.kind !== 'apply') continue;
          const { groups } = action.routes;
          const sum = groups.reduce((total, group) => total + group.share, 0);
          assert.ok(sum === allTraffic || sum === 0, `the shares add up to ${sum}`);
          assert.ok(action.routes.revision >= revision, 'a revision never goes back');
          ({ revision } = action.routes);
        }
      }
    }),
    { ...runs, numRuns: 1_000 },
  );
});

test('nothing leaves a final state', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const { rollout } = end(path);
      if (!isFinal(rollout.status)) return;
      const walk = end(path);
      // The first one asks what is next, and after the end nothing is.
      for (const happening of happenings.slice(1)) {
        const before = walk.rollout;
        happening(walk);
        assert.equal(walk.rollout, before);
      }
    }),
    { ...runs, numRuns: 500 },
  );
  for (const row of machine) assert.ok(!finalStatuses.includes(row.from), `${row.from} is final`);
});

test('the recorded events lead to the same state again, also when they were written down in between', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const walk = end(path);
      const written = JSON.parse(JSON.stringify([walk.begun, walk.events])) as [Walk['begun'], typeof walk.events];
      let rollout = written[0];
      for (const event of written[1]) [rollout] = transition(rollout, event);
      assert.deepEqual(JSON.parse(JSON.stringify(rollout)), JSON.parse(JSON.stringify(walk.rollout)));
    }),
    { ...runs, numRuns: 500 },
  );
});

test('a deployment ends from wherever it is, when from then on everything works and people say yes', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const walk = end(path);
      for (let steps = 0; !isFinal(walk.rollout.status); steps += 1) {
        assert.ok(steps < 100, `still ${walk.words}`);
        walk.goWell();
      }
      if (walk.rollout.status === 'VERIFIED') assert.equal(walk.rollout.share, allTraffic);
      if (walk.rollout.status === 'ROLLED_BACK' && walk.rollout.plan.strategy !== 'same')
        assert.equal(walk.rollout.share, 0);
    }),
    { ...runs, numRuns: 1_000 },
  );
});

/** Rows that no deployment takes, each with the reason why it stays in the table. */
const neverTaken: Readonly<Record<string, string>> = {
  'INIT → ROLLING_BACK': 'a deployment is committed with its first event, so nobody can give it a command before',
};

/** Every moment of a deployment that goes well, at once or only after the gates were undecided for a while. */
function* moments(plan: Plan, undecided: boolean): Generator<Walk> {
  const walk = new Walk(plan).start();
  for (let steps = 0; !isFinal(walk.rollout.status); steps += 1) {
    assert.ok(steps < 100, `still ${walk.words}`);
    yield walk.branch();
    walk.at += 100;
    if (undecided && walk.rollout.hold !== undefined && walk.rollout.hold.judgement === undefined) {
      walk.judged('inconclusive', true);
    } else walk.goWell();
  }
}

/** Every moment of every deployment, as the states of the table that lead to one another when any two things happen there. */
function* changes(plan: Plan): Generator<string> {
  yield `INIT → ${new Walk(plan).start().rollout.status}`;
  for (const moment of [...moments(plan, false), ...moments(plan, true)]) {
    for (const first of happenings) {
      const after = first(moment.branch());
      yield change(moment, after);
      if (!isFinal(after.rollout.status)) yield* happenings.map((second) => change(after, second(after.branch())));
    }
  }
}

function change(before: Walk, after: Walk): string {
  return `${before.rollout.status} → ${after.rollout.status}`;
}

test('every row of the table is taken when any two things happen at any moment of any deployment, and no other', () => {
  const taken = new Set(plans.flatMap((plan) => [...changes(plan)]));
  const rows = new Set(machine.map((row) => `${row.from} → ${row.to}`));
  assert.deepEqual([...rows].filter((row) => !taken.has(row)).toSorted(), Object.keys(neverTaken).toSorted());
});

test('every state is reached by some row, and every state that is not final is left by one', () => {
  for (const status of statuses) {
    if (status !== 'INIT')
      assert.ok(
        machine.some((row) => row.to === status),
        `nothing leads to ${status}`,
      );
    if (!isFinal(status))
      assert.ok(
        machine.some((row) => row.from === status),
        `nothing leads out of ${status}`,
      );
  }
});

test('staying is always allowed, a change only on the events of its row', () => {
  assert.ok(isAllowed('CANARY', 'CANARY', 'effect-retried'));
  assert.ok(isAllowed('INIT', 'BUILDING', 'started'));
  assert.ok(!isAllowed('INIT', 'BUILDING', 'promote'));
  assert.ok(!isAllowed('CANARY', 'VERIFIED', 'promote'));
  assert.ok(!isAllowed('ROLLING_BACK', 'PROMOTING', 'promote'));
});
