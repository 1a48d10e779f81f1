import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, planWith, release, rolling, scope, specWith } from '../../../test/engine/specs.ts';
import { Walk } from '../../../test/engine/walk.ts';
import type { Plan } from '../plan/plan.ts';
import type { Rollout } from './rollout.ts';
import { settle } from './settle.ts';
import { earlierKept, emptySituation, lastGood, type Placement, type Situation, takenAway } from './situation.ts';

function placement(name: string, since = 0): Placement {
  return { release: release(name), spec: specWith(), deployment: `d-${name}`, instances: 2, since };
}

/** `old` is stable since 5; `older` and `oldest` were before. */
const situation: Situation = {
  scope,
  stable: placement('old', 5),
  earlier: [placement('older'), placement('oldest')],
  revision: 7,
};

function verified(plan: Plan): Rollout {
  return new Walk(plan).until('VERIFIED').rollout;
}

function names({ earlier }: Situation): readonly string[] {
  return earlier.map((each) => each.release.id.slice(5));
}

test('until a deployment is verified only the revision of the routes moves on', () => {
  for (const status of ['DEPLOYING', 'CANARY_WAITING', 'PROMOTED', 'VERIFYING'] as const) {
    const { rollout } = new Walk(planWith({ strategy: canary })).until(status);
    assert.deepEqual(settle(situation, rollout), { ...situation, revision: rollout.revision });
  }
  const back = new Walk(planWith({ strategy: canary })).until('CANARY').take({ kind: 'abort', reason: 'x' });
  const { rollout } = back.until('ROLLED_BACK');
  assert.deepEqual(settle(situation, rollout), { ...situation, revision: rollout.revision });
  assert.equal(settle({ ...situation, revision: 99 }, rollout).revision, 99, 'a revision never goes back');
});

test('a deployment ends a removal with its first event, and what was good before stays known', () => {
  const { plan, at } = verified(planWith({}));
  const removal = { at, actor: 'ann@desk', reason: 'moved', spec: plan.spec, finished: false };
  const gone = takenAway(situation, removal);
  assert.deepEqual([gone.stable, gone.warm, gone.revision], [undefined, undefined, situation.revision + 1]);
  assert.deepEqual(gone.earlier[0], situation.stable);
  assert.equal(takenAway(gone, removal).revision, gone.revision, 'it may be ordered again');
  const { rollout } = new Walk(planWith()).until('DEPLOYING');
  const begun = settle(gone, rollout);
  assert.deepEqual([begun.removal, begun.earlier], [undefined, gone.earlier]);
});

test('a verified release is stable, and the one before is the first to go back to', () => {
  const rollout = verified(planWith({ instances: 3 }));
  const after = settle(situation, rollout);
  assert.deepEqual(after.stable, {
    release: release('new'),
    spec: rollout.plan.spec,
    deployment: 'd-1',
    instances: 3,
    since: rollout.at,
  });
  assert.deepEqual(names(after), ['old', 'older', 'oldest']);
  assert.equal(lastGood(after)?.release.id, 'shop@old');
});

test('after the first deployment there is nothing to go back to', () => {
  const none = { stable: undefined, stableInstances: 0, stableWanted: 0 } as const;
  const after = settle(emptySituation(scope), verified(planWith({}, none)));
  assert.deepEqual(after.earlier, []);
  assert.equal(lastGood(after), undefined);
  assert.equal(after.warm, undefined);
});

test('a release that is deployed again is not remembered twice', () => {
  const after = settle({ ...situation, earlier: [placement('older'), placement('new')] }, verified(planWith()));
  assert.deepEqual(names(after), ['old', 'older']);
});

test(`at most ${earlierKept} earlier releases are remembered`, () => {
  const earlier = Array.from({ length: earlierKept }, (_, index) => placement(`r${index}`));
  const after = settle({ ...situation, earlier }, verified(planWith()));
  assert.equal(after.earlier.length, earlierKept);
  assert.deepEqual(names(after).slice(0, 2), ['old', 'r0']);
});

test('a rollback forgets what it went back over, so that the next one goes further back', () => {
  const rollback = (name: string) =>
    settle(situation, verified(planWith({}, { purpose: 'rollback', candidate: release(name) })));
  assert.deepEqual(names(rollback('older')), ['oldest']);
  assert.equal(rollback('older').stable?.release.id, 'shop@older');
  assert.deepEqual(names(rollback('oldest')), []);
  assert.equal(rollback('older').warm, undefined, 'what was left is not kept warm');
});

test('a rollback that failed behind its switch has the traffic, so it is stable, and only a person moves it on', () => {
  const watch = { forMs: 900_000, checks: [], healthFailingMs: 1 };
  const plan = planWith({ watch }, { purpose: 'rollback', candidateWarm: true, candidate: release('older') });
  const { rollout } = new Walk(plan).until('VERIFYING').failed();
  assert.equal(rollout.status, 'FAILED');
  const after = settle(situation, rollout);
  assert.equal(after.stable?.release.id, 'shop@older');
  assert.deepEqual(names(after), ['oldest']);
  assert.equal(after.watch, undefined);
});

test('a way back that failed changes nothing but the revision', () => {
  const { rollout } = new Walk(planWith()).until('VERIFYING').failed().untilAwaiting('validate').failed();
  assert.equal(rollout.status, 'FAILED');
  assert.deepEqual(settle(situation, rollout), { ...situation, revision: rollout.revision });
});

test('a rollback to a release of the history that is no longer remembered keeps what is', () => {
  const after = settle(situation, verified(planWith({}, { purpose: 'rollback', candidate: release('ancient') })));
  assert.deepEqual(names(after), ['older', 'oldest']);
});

test('the old release stays warm as long as blue-green and canary say, and not at all after rolling', () => {
  for (const strategy of [blueGreen, canary]) {
    const rollout = verified(planWith({ strategy }));
    assert.deepEqual(settle(situation, rollout).warm, { placement: situation.stable, until: rollout.at + 60_000 });
    assert.equal(settle(situation, verified(planWith({ strategy: { ...strategy, keepOldMs: 0 } }))).warm, undefined);
  }
  assert.equal(settle(situation, verified(planWith({ strategy: rolling }))).warm, undefined);
});

test('deploying the stable release again changes its number of instances and nothing else', () => {
  const warm = { placement: placement('older'), until: 9 };
  const after = settle({ ...situation, warm }, verified(planWith({ instances: 3 }, { candidate: release('old') })));
  assert.equal(after.stable?.instances, 3);
  assert.equal(after.stable?.since, 5);
  assert.deepEqual(after.earlier, situation.earlier);
  assert.deepEqual(after.warm, warm);
});

test('the watch begins with the promotion and lasts as long as the specification says', () => {
  const rollout = verified(planWith({ watch: { forMs: 900_000, checks: [], healthFailingMs: 1 } }));
  assert.deepEqual(settle(situation, rollout).watch, { deployment: 'd-1', until: rollout.at + 900_000 });
  assert.equal(settle({ ...situation, watch: { deployment: 'd-0', until: 1 } }, verified(planWith())).watch, undefined);
});
