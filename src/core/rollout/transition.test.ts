import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, planWith, release, rolling } from '../../../test/engine/specs.ts';
import { endpoints, failure, judgement, Walk } from '../../../test/engine/walk.ts';
import type { Effect } from './effect.ts';

const stages = planWith({ strategy: canary });
const none = { stable: undefined, stableInstances: 0, stableWanted: 0 } as const;

/** What was issued, in the words of routes and platform: `new 10 %, old 90 %`, `drain new-1 new-2` … */
function words(effects: readonly Effect[]): readonly string[] {
  return effects.map(({ action }) => {
    if (action.kind === 'apply') {
      const shares = action.routes.groups.map((group) => `${group.release.slice(5)} ${group.share / 100} %`);
      return `${shares.join(', ') || 'nothing'}${action.forever ? ', for ever' : ''}`;
    }
    if (action.kind === 'drain') return `drain ${action.instances.join(' ')}`;
    if (action.kind === 'stop') return `stop ${action.instances?.join(' ') ?? `all of ${action.release.slice(5)}`}`;
    if (action.kind === 'ensure') return `ensure ${action.instances} ${action.role}`;
    return action.kind;
  });
}

function atStage(): Walk {
  return new Walk(stages).until('CANARY_WAITING');
}

test('one effect is awaited at a time, and effects are numbered', () => {
  const walk = new Walk(stages).start();
  assert.deepEqual(
    walk.issued.map((effect) => effect.id),
    ['d-1#1'],
  );
  assert.equal(walk.rollout.awaiting, 'd-1#1');
  walk.done();
  assert.deepEqual(
    walk.issued.map((effect) => effect.id),
    ['d-1#2'],
  );
});

test('whatever is being done, going back begins with the routes', () => {
  for (const moment of ['stage', 'ensure', 'validate', 'apply'] as const) {
    const plan = planWith({ strategy: canary }, { candidateStored: false });
    const walk = new Walk(plan).start().untilAwaiting(moment);
    walk.take({ kind: 'abort', reason: 'enough' }, 'ann@desk');
    assert.deepEqual(
      words(walk.issued).map((word) => word.replace(/, new 0 %/, '')),
      ['old 100 %, for ever'],
      moment,
    );
    assert.equal(walk.rollout.status, 'ROLLING_BACK');
    assert.equal(walk.rollout.reason, 'enough');
  }
});

test('the way back takes the candidate away after the routes, then validates stable, then ends', () => {
  const walk = atStage().judged('fail', false);
  const done: string[] = [...words(walk.issued)];
  while (walk.rollout.status !== 'ROLLED_BACK') done.push(...words(walk.done().issued));
  assert.deepEqual(done, [
    'old 100 %, new 0 %, for ever',
    'old 100 %, for ever',
    'drain new-1 new-2',
    'stop all of new',
    'validate',
  ]);
  assert.equal(walk.rollout.failure?.code, 'gate.failed');
  assert.equal(walk.rollout.reason, 'the gates say fail');
  assert.equal(walk.rollout.judgements.at(-1)?.judgement.outcome, 'fail');
});

test('the time to recover ends when the routes are in force, not when the candidate is gone', () => {
  const walk = atStage();
  walk.at += 500;
  walk.judged('fail', false);
  const decidedAt = walk.at;
  walk.at += 40;
  walk.done();
  const safeAt = walk.at;
  walk.at += 60_000;
  walk.until('ROLLED_BACK');
  assert.equal(walk.rollout.wentBackAt, decidedAt);
  assert.equal(walk.rollout.safeAt, safeAt);
  assert.equal(walk.rollout.endedAt, walk.at);
});

test('where too little of stable is left to serve, it is started first and gets the traffic before all else', () => {
  const plan = planWith({ strategy: rolling, minAvailable: 2 });
  const walk = new Walk(plan).untilAwaiting('stop');
  assert.equal(walk.rollout.fleet.stable.serving.length, 1);
  walk.take({ kind: 'abort', reason: 'enough' });
  assert.deepEqual(words(walk.issued), ['ensure 2 stable']);
  assert.equal(walk.rollout.safeAt, undefined);
  assert.deepEqual(words(walk.done().issued), ['old 100 %, new 0 %, for ever']);
  assert.equal(walk.rollout.safeAt, undefined, 'not safe before the routes are in force');
  walk.done();
  assert.equal(walk.rollout.safeAt, walk.at);
});

test('where enough of stable is left, it has the traffic at once and what is missing is started after', () => {
  const walk = new Walk(planWith({ strategy: rolling, minAvailable: 1 })).untilAwaiting('stop');
  walk.take({ kind: 'abort', reason: 'enough' });
  assert.deepEqual(words(walk.issued), ['old 100 %, new 0 %, for ever']);
  assert.deepEqual(words(walk.done().issued), ['ensure 2 stable']);
});

test('a first deployment goes back to nothing, and not for ever', () => {
  const walk = new Walk(planWith({}, none)).until('VERIFYING').failed();
  assert.deepEqual(words(walk.issued), ['new 0 %']);
  walk.failed().until('ROLLED_BACK');
  assert.equal(walk.rollout.failure?.code, 'router.unreachable');
});

test('a release that is stable already goes back by stopping what came beyond what there was', () => {
  const plan = planWith({ instances: 3 }, { candidate: release('old') });
  const walk = new Walk(plan).start().failed();
  assert.equal(walk.rollout.status, 'ROLLING_BACK');
  const [effect] = walk.issued;
  assert.ok(effect?.action.kind === 'stop');
  assert.deepEqual(effect.action.except, ['old-1', 'old-2']);
  assert.equal(walk.rollout.share, 10_000, 'nobody’s traffic moves');
  walk.until('ROLLED_BACK');
});

test('an outcome that nobody waits for any more changes nothing', () => {
  const walk = atStage();
  const { status, step } = walk.rollout;
  walk.take({ kind: 'effect-done', effect: 'd-1#1', result: { kind: 'nothing' } });
  walk.take({ kind: 'effect-failed', effect: 'd-1#1', failure });
  assert.deepEqual([walk.rollout.status, walk.rollout.step, walk.rollout.course], [status, step, 'forward']);
});

test('a judgement on a hold that is over is not listened to', () => {
  const walk = atStage();
  walk.take({ kind: 'judged', hold: 'd-1/0', judgement: judgement('fail'), minimumsReached: true });
  assert.equal(walk.rollout.course, 'forward');
});

test('reaching the minimums and passing are two events, and a stage needs both', () => {
  const walk = atStage().judged('pass', false);
  assert.equal(walk.rollout.status, 'CANARY_WAITING');
  walk.judged('pass', true);
  assert.equal(walk.rollout.status, 'CANARY_EVALUATING');
  walk.judged('pass', true);
  assert.deepEqual(words(walk.issued), ['old 50 %, new 50 %']);
  assert.equal(walk.rollout.judgements.length, 1);
});

test('minimums that were reached stay reached', () => {
  const walk = atStage().judged('inconclusive', true).judged('pass', false);
  assert.deepEqual([walk.rollout.status, walk.rollout.share], ['CANARY', 5_000]);
});

test('a stage without a conclusion pauses when its longest time is over', () => {
  const walk = atStage().judged('inconclusive', true).timeComes();
  assert.equal(walk.rollout.status, 'PAUSED');
  assert.match(walk.rollout.reason ?? '', /no conclusion/);
  walk.take({ kind: 'resume' }, 'ann@desk');
  assert.equal(walk.rollout.status, 'CANARY_EVALUATING');
  assert.equal(walk.rollout.until, walk.at + canary.maxHoldMs, 'a resumed hold has its time again');
});

test('a manual stage that passes only when its longest time is over asks, as one does that passes before', () => {
  const manual = planWith({ strategy: { ...canary, promotion: 'manual' } });
  const walk = new Walk(manual).until('CANARY_WAITING').judged('pass', true).timeComes();
  assert.equal(walk.rollout.status, 'AWAITING_APPROVAL');
});

test('while a person has the word evidence can take it back, but never goes on by itself', () => {
  const walk = atStage().take({ kind: 'pause', reason: 'lunch' }, 'ann@desk');
  walk.judged('pass', true).judged('pass', true);
  assert.equal(walk.rollout.status, 'PAUSED');
  walk.judged('fail', true);
  assert.equal(walk.rollout.status, 'ROLLING_BACK');
});

test('a pause in the middle of an effect lets it end, and the next step waits for the person', () => {
  const walk = new Walk(planWith()).start().take({ kind: 'pause', reason: 'lunch' }, 'ann@desk');
  walk.done();
  assert.deepEqual([walk.rollout.status, walk.rollout.stepDone, walk.issued.length], ['PAUSED', true, 0]);
  walk.take({ kind: 'resume' }, 'ann@desk');
  assert.equal(walk.rollout.status, 'DEPLOYING');
  assert.equal(walk.awaited?.kind, 'apply');
});

test('a pause while the old release is cleared away holds the next step back, also when clearing fails', () => {
  const walk = new Walk(planWith({ strategy: { ...blueGreen, keepOldMs: 0 } }))
    .until('VERIFYING')
    .untilAwaiting('drain');
  walk.take({ kind: 'pause', reason: 'lunch' }, 'ann@desk').failed();
  assert.deepEqual([walk.rollout.status, walk.rollout.stepDone], ['PAUSED', true]);
  walk.until('VERIFIED');
});

test('what cannot be cleared away after the promotion does not undo it', () => {
  const walk = new Walk(planWith({ strategy: { ...blueGreen, keepOldMs: 0 } }))
    .until('VERIFYING')
    .untilAwaiting('drain');
  walk.failed();
  assert.equal(walk.awaited?.kind, 'stop');
  walk.failed();
  assert.equal(walk.rollout.status, 'VERIFIED');
});

test('a paused deployment has its waiting time back from its deadline', () => {
  const walk = atStage();
  const { deadlineAt } = walk.rollout;
  walk.take({ kind: 'pause', reason: 'lunch' }, 'ann@desk');
  walk.at += 3_600_000;
  walk.take({ kind: 'resume' }, 'ann@desk');
  assert.equal(walk.rollout.deadlineAt, deadlineAt + 3_600_000);
});

test('a deployment that does not end within its deadline goes back', () => {
  const walk = new Walk(stages).start();
  walk.at = walk.rollout.deadlineAt - 1;
  walk.take({ kind: 'time-came' });
  assert.equal(walk.rollout.course, 'forward');
  walk.at += 1;
  walk.take({ kind: 'time-came' });
  assert.equal(walk.rollout.course, 'back');
  assert.match(walk.rollout.reason ?? '', /deadline/);
});

test('promote ends a stage, and promote --full all of them', () => {
  const one = atStage().take({ kind: 'promote', full: false }, 'ann@desk');
  assert.equal(one.rollout.share, 5_000);
  const full = atStage().take({ kind: 'promote', full: true }, 'ann@desk');
  assert.deepEqual([full.rollout.share, full.rollout.status], [10_000, 'PROMOTING']);
});

test('promote --full of a rolling deployment goes on batch by batch, since there are no instances yet', () => {
  const plan = planWith(
    { strategy: { ...rolling, observeMs: 5_000 }, instances: 3 },
    { stableInstances: 3, stableWanted: 3 },
  );
  const walk = new Walk(plan).until('PROMOTING');
  while (walk.rollout.hold === undefined) walk.goWell();
  walk.take({ kind: 'promote', full: true }, 'ann@desk');
  assert.equal(walk.awaited?.kind, 'ensure');
  assert.ok(walk.rollout.share < 10_000);
});

test('promote ends a wait, and is nothing in the middle of an effect', () => {
  const walk = new Walk(planWith({ strategy: { ...blueGreen, switchDelayMs: 60_000 } })).start();
  walk.take({ kind: 'promote', full: true }, 'ann@desk');
  assert.equal(walk.awaited?.kind, 'ensure');
  while (walk.rollout.until === undefined) walk.done();
  walk.take({ kind: 'promote', full: false }, 'ann@desk');
  assert.equal(walk.rollout.status, 'PROMOTING');
});

test('instances of stable that moved are routed beside the step, which goes on waiting for its own effect', () => {
  const walk = new Walk(stages).start();
  const { awaiting } = walk.rollout;
  const moved = endpoints('old', 2).map((endpoint) => ({ ...endpoint, address: { host: '127.0.0.1', port: 1 } }));
  walk.take({ kind: 'fleet-changed', role: 'stable', endpoints: moved, reason: 'moved' });
  assert.equal(walk.rollout.awaiting, awaiting);
  const [effect] = walk.issued;
  assert.ok(effect?.action.kind === 'apply');
  assert.deepEqual(effect.action.routes.groups[0]?.endpoints, moved);
  walk.until('VERIFIED');
});

test('before the first routes of a first deployment there is nothing to correct', () => {
  const walk = new Walk(planWith({}, none)).start();
  walk.take({ kind: 'fleet-changed', role: 'candidate', endpoints: endpoints('new', 1), reason: 'moved' });
  assert.equal(walk.issued.length, 0);
});

test('instances that are leaving do not come back into traffic by moving', () => {
  const walk = new Walk(planWith({ strategy: rolling })).untilAwaiting('drain');
  walk.take({ kind: 'fleet-changed', role: 'stable', endpoints: endpoints('old', 2), reason: 'moved' });
  assert.equal(walk.rollout.fleet.stable.serving.length, 1);
});

test('a release on trial that is lost goes back, with its last words', () => {
  const walk = atStage().take({ kind: 'candidate-lost', failure: { ...failure, message: 'new-1 ended' } });
  assert.deepEqual([walk.rollout.course, walk.rollout.reason], ['back', 'new-1 ended']);
});

test('after the switch of a rollback a failure is for a person: neither release can be trusted', () => {
  const plan = planWith({}, { purpose: 'rollback', candidateWarm: true });
  const walk = new Walk(plan).until('VERIFYING').failed();
  assert.equal(walk.rollout.status, 'FAILED');
  assert.match(walk.rollout.reason ?? '', /does not pass: the router does not answer/);
  const paused = new Walk(plan).until('VERIFYING').take({ kind: 'pause', reason: 'lunch' }, 'ann@desk').failed();
  assert.equal(paused.rollout.status, 'FAILED');
});

test('before the switch of a rollback a failure goes back to where the traffic is', () => {
  const walk = new Walk(planWith({}, { purpose: 'rollback' })).start().failed();
  assert.equal(walk.rollout.status, 'ROLLING_BACK');
});

test('a way back that does not succeed is for a person, and leaves nothing awaited', () => {
  const walk = atStage().judged('fail', true).untilAwaiting('validate').failed();
  assert.equal(walk.rollout.status, 'FAILED');
  assert.match(walk.rollout.reason ?? '', /going back did not succeed/);
});

test('being taken up by another controller, or trying again, changes only the version', () => {
  const walk = atStage();
  const { version, at: _, ...before } = walk.rollout;
  walk.take({ kind: 'recovered', previous: 'c-1' }).take({ kind: 'effect-retried', effect: 'd-1#1', failure });
  const { version: after, at: __, ...rest } = walk.rollout;
  assert.equal(after, version + 2);
  assert.deepEqual(rest, before);
});

test('time never goes back within a deployment, whatever the clock says', () => {
  const walk = atStage();
  const { at } = walk.rollout;
  walk.at -= 500;
  walk.take({ kind: 'recovered', previous: 'c-1' });
  assert.equal(walk.rollout.at, at);
});
