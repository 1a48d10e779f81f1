import assert from 'node:assert/strict';
import test from 'node:test';

import { judgement, noon, stories, type Story } from '../fixture-story.ts';
import { lines, look } from './fixture-look.ts';
import { type LiveView, renderLive } from './live.ts';
import { renderOutcome } from './outcome.ts';
import { asciiGlyphs, colourPaint } from './paint.ts';
import { columnsOf } from './text.ts';

const times = new Map([
  ['forward/4', noon + 1500],
  ['forward/5', noon + 2000],
  ['forward/6', noon + 66_000],
  ['forward/7', noon + 66_500],
]);

function view({ rollout, records }: Story): LiveView {
  return { rollout, times, latest: records.at(-1), note: 'Ctrl-C leaves; the deployment goes on.' };
}

test('the live view of a canary, line by line', () => {
  const story = stories.canaryInProgress();
  const live = { at: story.rollout.at, judgement: judgement('inconclusive', 330, 1), requestsPerSecond: 184.2 };
  assert.deepEqual(
    renderLive({ ...view(story), live }, 40, look(story.rollout.at + 3000)),
    lines(`
● CANARY_WAITING  canary of shop/production                              1m52s
  watches the new release; more time or requests are needed
  on trial  shop@8d1f0a2b3c4d (1.4.2)
  stable    shop@3f9c2a1b7d04 (1.4.1)
  traffic   ████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  10 % on trial, 90 % stable

    4 done before
  ✓ 1 % of traffic to shop@8d1f0a2b3c4d                                   500ms
  ✓ stage 1 of 3, 1 %: at least 1m, 100 requests, 2 gates                  1m4s
  ✓ 10 % of traffic to shop@8d1f0a2b3c4d                                  500ms
  ▸ stage 2 of 3, 10 %: at least 1m, 500 requests, 2 gates                  45s
    at least 15s more, 312 of 500 requests, pauses for a person in 59m15s
  · 100 % of traffic to shop@8d1f0a2b3c4d
  · promote shop@8d1f0a2b3c4d, shop@3f9c2a1b7d04 stays warm for 10m
  · validate shop@8d1f0a2b3c4d through the router: 1 check

            requests  errors    p50    p95    p99   184/s together
  on trial       330   0.3 %  12 ms  41 ms  88 ms
  stable      10,840  0.08 %  11 ms  39 ms  84 ms
  ? error rate at most 5 %: error rate is 0.3 % on 330 requests, allowed is at
    most 5 %
  ? p95 at most 20 % worse than stable: p95 is 41 ms against 39 ms of stable on
    330 and 10840 requests, allowed is 47 ms

  13:01:49  the gates say inconclusive: error rate is 0.32 % on 312 requests, …
  Ctrl-C leaves; the deployment goes on.
`),
  );
});

test('the live view fits every terminal: never wider, never higher, with colours and without', () => {
  for (const make of Object.values(stories)) {
    const story = make();
    for (const width of [40, 60, 79, 100]) {
      for (const rows of [5, 12, 23, 50]) assertFits(story, width, rows);
    }
  }
});

function assertFits(story: Story, width: number, rows: number): void {
  for (const changes of [{}, { paint: colourPaint }, { glyphs: asciiGlyphs }]) {
    const shown = renderLive(view(story), rows, look(story.rollout.at + 3000, { width, ...changes }));
    assert.ok(shown.length <= rows, `${shown.length} lines in ${rows} rows`);
    const wide = shown.find((line) => columnsOf(line) > width);
    assert.equal(wide, undefined, `wider than ${width}`);
  }
}

test('a small share still shows in the traffic bar, and a share that is not all leaves a gap', () => {
  const story = stories.paused();
  const bar = renderLive(view(story), 40, look(story.rollout.at)).find((line) => line.includes('traffic'));
  assert.match(bar ?? '', /traffic {3}█░+ {2}1 % on trial, 99 % stable/);
});

test('who waits for a person sees the commands in the live view', () => {
  const story = stories.awaitingApproval();
  const text = renderLive(view(story), 40, look(story.rollout.at)).join('\n');
  assert.match(text, /● AWAITING_APPROVAL/);
  assert.match(text, /sluice promote -e production/);
  assert.match(text, /sluice abort -e production/);
});

test('a label cannot write on the terminal', () => {
  const story = stories.canaryInProgress();
  const candidate = { ...story.rollout.plan.candidate, label: '\u001b[2J1.4.2\nroot' };
  story.rollout = { ...story.rollout, plan: { ...story.rollout.plan, candidate } };
  const shown = renderLive(view(story), 40, look(story.rollout.at));
  assert.ok(shown.includes('  on trial  shop@8d1f0a2b3c4d (1.4.2 root)'));
});

test('the outcome of a verified blue-green deployment', () => {
  const { rollout } = stories.blueGreenVerified();
  assert.deepEqual(
    renderOutcome(rollout, look(rollout.at), { attended: true }),
    lines(`
✓ VERIFIED  shop/production runs shop@8d1f0a2b3c4d (1.4.2), after 3.5s
  before    shop@3f9c2a1b7d04 stays warm for 10m: going back is one switch
  watched   for 15m more: a failing gate or health goes back by itself

  What you can do:
    sluice rollback -e production
      back to shop@3f9c2a1b7d04
    sluice history show d-20261121-7k3f9q -e production
      every record with its evidence
`),
  );
});

test('without a server the outcome says that nobody looks on', () => {
  const { rollout } = stories.blueGreenVerified();
  const text = renderOutcome(rollout, look(rollout.at), { attended: false }).join('\n');
  assert.match(text, /watched {3}by nobody from now on: no server is at work\. `sluice server`/);
});

test('the outcome of a canary that was taken out: why, how fast, on what evidence', () => {
  const { rollout } = stories.rolledBack();
  assert.deepEqual(
    renderOutcome(rollout, look(rollout.at), { attended: true }),
    lines(`
✗ ROLLED_BACK  shop/production stays on shop@3f9c2a1b7d04 (1.4.1);
               shop@8d1f0a2b3c4d (1.4.2) was taken out
  why       error rate is 25 % on 24 requests, allowed is at most 5 %
  do        Read the evidence with \`sluice history show\`, mend the release and
            deploy again.
  times     decided 13:00:04, all traffic on stable 500ms later

            requests  errors    p50    p95    p99
  on trial        24    25 %  12 ms  41 ms  88 ms
  stable      10,840  0.08 %  11 ms  39 ms  84 ms
  ✗ error rate is 25 % on 24 requests, allowed is at most 5 %
  ? p95 at most 20 % worse than stable: p95 is 41 ms against 39 ms of stable on
    24 and 10840 requests, allowed is 47 ms

  To see what happened:
    sluice history show d-20261121-7k3f9q -e production
      every record with its evidence
    sluice logs --release shop@8d1f0a2b3c4d -e production
      what the failed release wrote
`),
  );
});

test('a failed deployment says what a person must do, and that nothing more happens by itself', () => {
  const { rollout } = stories.failed();
  const text = renderOutcome(rollout, look(rollout.at), { attended: true }).join('\n');
  assert.match(text, /^✗ FAILED {2}shop\/production: the deployment of shop@8d1f0a2b3c4d \(1\.4\.2\) could/);
  assert.match(text, /do {8}Start it with `sluice server`, then send all traffic back with/);
  assert.match(text, /all traffic on stable: not confirmed/);
  assert.match(text, /does nothing more by\s+itself/);
});

test('a first deployment replaces nothing and offers no rollback', () => {
  const { rollout } = stories.first();
  const text = renderOutcome(rollout, look(rollout.at), { attended: true }).join('\n');
  assert.match(text, /✓ VERIFIED {2}shop\/production runs shop@8d1f0a2b3c4d \(1\.4\.2\)/);
  assert.doesNotMatch(text, /rollback|before/);
});
