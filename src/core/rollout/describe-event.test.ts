import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, planWith, release } from '../../../test/engine/specs.ts';
import { failure, Walk, type Telling } from '../../../test/engine/walk.ts';
import { describeEvent } from './describe-event.ts';
import type { RolloutEvent } from './event.ts';

/** The words for what an act makes of a walk's newest event. */
function words(walk: Walk, act: (walk: Walk) => Walk): string {
  const before = walk.rollout;
  act(walk);
  const event = walk.events.at(-1);
  assert.ok(event !== undefined);
  return describeEvent(before, event, walk.rollout);
}

function told(walk: Walk, telling: Telling, actor = 'ann@desk'): string {
  return words(walk, (each) => each.take(telling, actor));
}

const plan = planWith({ strategy: canary });
const atStage = (): Walk => new Walk(plan).until('CANARY_WAITING');

test('a start says what begins, who asked and why, and what is done first', () => {
  assert.equal(
    told(new Walk(plan), { kind: 'started', reason: 'release 1.4' }),
    'canary deployment of shop@new started by ann@desk: release 1.4; now: start 2 × shop@new, healthy within 30s',
  );
  const rollback = planWith({}, { purpose: 'rollback', candidateWarm: true, candidate: release('older') });
  assert.equal(
    told(new Walk(rollback), { kind: 'started' }),
    'rollback to shop@older started by ann@desk; now: 100 % of traffic to shop@older',
  );
});

test('a step that ends says what was done and what comes next', () => {
  assert.equal(
    words(new Walk(plan).start(), (walk) => walk.done()),
    'done: start 2 × shop@new, healthy within 30s; now: show shop@new at the preview address',
  );
  const drain = new Walk(planWith({ strategy: { ...blueGreen, keepOldMs: 0 } })).until('VERIFYING').done();
  assert.equal(
    words(drain, (walk) => walk.done()),
    'the routes for it are in force',
  );
  const cut: Telling = {
    kind: 'effect-done',
    effect: drain.rollout.awaiting ?? '',
    result: { kind: 'drained', cut: 3 },
  };
  assert.match(told(drain, cut, 'sluice'), /^done: take all of shop@old out of traffic.* \(3 cut\); now: stop all/);
});

test('a gate that fails says so with its reason, and that it goes back', () => {
  assert.equal(
    words(atStage(), (walk) => walk.judged('fail', false)),
    'the gates say fail: the gates say fail; going back: the gates say fail',
  );
  const unchecked: Telling = {
    kind: 'judged',
    hold: 'd-1/4',
    minimumsReached: false,
    judgement: {
      outcome: 'pass',
      verdicts: [],
      candidate: { release: 'n', requests: 0, errors: 0, unanswered: 0 },
      lost: 0,
    },
  };
  assert.equal(told(atStage(), unchecked, 'sluice'), 'the gates say pass: no checks');
});

test('what a person orders is told with their name', () => {
  assert.equal(
    told(atStage(), { kind: 'pause', reason: 'lunch' }),
    'paused by ann@desk: lunch; waits for a person: lunch',
  );
  assert.equal(told(atStage().take({ kind: 'pause', reason: 'lunch' }), { kind: 'resume' }), 'resumed by ann@desk');
  assert.equal(told(atStage(), { kind: 'abort', reason: 'enough' }), 'aborted by ann@desk: enough; going back: enough');
  assert.equal(
    told(atStage(), { kind: 'promote', full: false }),
    'promoted by ann@desk; now: 50 % of traffic to shop@new',
  );
  assert.equal(
    told(atStage(), { kind: 'promote', full: true }),
    'promoted to all traffic by ann@desk; now: 100 % of traffic to shop@new',
  );
});

test('a failure, a retry, a loss and a takeover are told in their own words', () => {
  assert.equal(
    words(new Walk(plan).start(), (walk) => walk.failed()),
    'failed: the router does not answer; going back: the router does not answer',
  );
  assert.equal(
    told(new Walk(plan).start(), { kind: 'effect-retried', effect: 'd-1#1', failure }, 'sluice'),
    'did not work yet, trying again: the router does not answer',
  );
  assert.match(
    told(atStage(), { kind: 'candidate-lost', failure }, 'sluice'),
    /^the router does not answer; going back/,
  );
  assert.equal(
    told(atStage(), { kind: 'recovered', previous: 'c-1 on host' }, 'sluice'),
    'taken up by another controller after c-1 on host ended',
  );
  assert.equal(
    told(atStage(), { kind: 'fleet-changed', role: 'stable', endpoints: [], reason: 'an instance moved' }, 'sluice'),
    'an instance moved',
  );
});

test('waiting for a person says for what', () => {
  const manual = planWith({ strategy: { ...blueGreen, promotion: 'manual' }, validation: [] });
  const walk = new Walk(manual).start().done();
  assert.match(
    words(walk, (each) => each.done()),
    /; waits for a person: before the switch$/,
  );
  assert.match(
    words(atStage(), (each) => each.timeComes()),
    /^the time is over; waits for a person: stage 1 of 3, 10 %: no conclusion/,
  );
});

test('an end says which release is stable, what was gone back to, or that a person must look', () => {
  const last = (walk: Walk): { readonly event: RolloutEvent; readonly words: string } => {
    let before = walk.rollout;
    while (walk.rollout.endedAt === undefined) {
      before = walk.rollout;
      walk.at += 1_000;
      walk.goWell();
    }
    const event = walk.events.at(-1) ?? assert.fail();
    return { event, words: describeEvent(before, event, walk.rollout) };
  };
  assert.match(last(new Walk(plan)).words, /; shop@new is stable after \d+s$/);
  assert.match(last(atStage().judged('fail', true)).words, /; gone back to shop@old after \d+s: the gates say fail$/);
  const first = planWith({}, { stable: undefined, stableInstances: 0, stableWanted: 0 });
  assert.match(last(new Walk(first).start().failed()).words, /; gone back to nothing, as before after /);
  const failed = atStage().judged('fail', true).untilAwaiting('validate');
  assert.match(
    words(failed, (walk) => walk.failed()),
    /; a person must look: going back did not succeed: the router/,
  );
});
