import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary, planWith } from '../../../test/engine/specs.ts';
import { judgement, Walk } from '../../../test/engine/walk.ts';
import type { RolloutEvent } from './event.ts';
import { assertSound, assertSoundChange } from './invariant.ts';
import type { Rollout } from './rollout.ts';

const plan = planWith({ strategy: canary });
const stage = (): Rollout => new Walk(plan).until('CANARY_WAITING').rollout;
const verified = (): Rollout => new Walk(plan).until('VERIFIED').rollout;
const back = (): Rollout => new Walk(plan).until('CANARY_WAITING').judged('fail', true).rollout;
const rolledBack = (): Rollout =>
  new Walk(plan).until('CANARY').take({ kind: 'abort', reason: 'x' }).until('ROLLED_BACK').rollout;

const brokenStates: readonly (readonly [RegExp, Rollout])[] = [
  [/is no share/, { ...stage(), share: -1 }],
  [/is no share/, { ...back(), share: 10_001 }],
  [/above its stage/, { ...stage(), share: 1_001 }],
  [/above its stage/, { ...new Walk(plan).start().rollout, share: 1 }],
  [/has ended but awaits/, { ...verified(), awaiting: 'd-1#9' }],
  [/verified on its way back/, { ...verified(), course: 'back' }],
  [/rolled back on its way forward/, { ...rolledBack(), course: 'forward' }],
];

for (const [index, [message, broken]] of brokenStates.entries()) {
  test(`a broken state is found: ${message.source} (${index + 1})`, () => {
    assert.throws(() => assertSound(broken), message);
  });
}

const tick: RolloutEvent = { kind: 'time-came', at: 0, actor: 'sluice' };

function next(rollout: Rollout, changes: Partial<Rollout> = {}): Rollout {
  return { ...rollout, version: rollout.version + 1, ...changes };
}

test('a broken change is found: a version left out, routes of an older revision, a turn forward, more traffic on the way back', () => {
  const now = stage();
  assert.doesNotThrow(() => assertSoundChange(now, tick, next(now)));
  assert.throws(() => assertSoundChange(now, tick, now), /version of d-1/);
  assert.throws(
    () => assertSoundChange(now, tick, next(now, { revision: now.revision - 1 })),
    /went back from revision/,
  );
  assert.throws(() => assertSoundChange(back(), tick, next(back(), { course: 'forward' })), /turned forward again/);
  assert.throws(() => assertSoundChange(back(), tick, next(back(), { share: 1 })), /more traffic on its way back/);
});

test('a gate that failed and was not heeded is found', () => {
  const now = stage();
  const failed: RolloutEvent = {
    kind: 'judged',
    at: 0,
    actor: 'sluice',
    hold: now.hold?.id ?? '',
    judgement: judgement('fail'),
    minimumsReached: true,
  };
  assert.throws(() => assertSoundChange(now, failed, next(now)), /goes on although its gate failed/);
  assert.doesNotThrow(() => assertSoundChange(now, { ...failed, hold: 'd-1/0' }, next(now)));
});
