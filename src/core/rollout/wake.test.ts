import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, planWith } from '../../../test/engine/specs.ts';
import { Walk } from '../../../test/engine/walk.ts';
import { wakeAt } from './wake.ts';

test('an effect is waited for no longer than the deadline', () => {
  const { rollout } = new Walk(planWith()).start();
  assert.equal(wakeAt(rollout), rollout.deadlineAt);
});

test('a hold and a wait have their own end', () => {
  const hold = new Walk(planWith({ strategy: canary })).until('CANARY_WAITING').rollout;
  assert.equal(wakeAt(hold), hold.at + canary.maxHoldMs);
  const walk = new Walk(planWith({ strategy: { ...blueGreen, switchDelayMs: 5_000 } })).start();
  while (walk.rollout.until === undefined) walk.done();
  assert.equal(wakeAt(walk.rollout), walk.at + 5_000);
});

test('while a person has the word, at the end, and on the way back no time comes', () => {
  const walk = new Walk(planWith({ strategy: canary })).until('CANARY_WAITING');
  assert.equal(wakeAt(walk.branch().take({ kind: 'pause', reason: 'lunch' }).rollout), undefined);
  assert.equal(wakeAt(walk.branch().take({ kind: 'abort', reason: 'enough' }).rollout), undefined);
  assert.equal(wakeAt(walk.until('VERIFIED').rollout), undefined);
});
