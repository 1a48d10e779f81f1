import assert from 'node:assert/strict';
import test from 'node:test';

import type { FailureData } from '../../base/failure.ts';
import { newRelease, noon, stories } from '../fixture-story.ts';
import { checksSummary, renderChecks } from './checks.ts';
import { renderFailure } from './failure.ts';
import { lines, look } from './fixture-look.ts';
import { renderDetail, renderHistory } from './history.ts';
import { renderLogLine } from './log-line.ts';
import { renderOutcome } from './outcome.ts';
import { colourPaint } from './paint.ts';
import { renderPlan } from './plan.ts';
import { renderPrune } from './prune.ts';
import { liveLine, recordLine } from './record.ts';
import { columnsOf } from './text.ts';

test('a plan shows every step, what its gates ask for, and the way back', () => {
  const { rollout } = stories.paused();
  assert.deepEqual(
    renderPlan(rollout.plan, 'sha256:4f0c', look()),
    lines(`
Plan: canary of shop/production

  release   shop@8d1f0a2b3c4d (1.4.2)
  replaces  shop@3f9c2a1b7d04 (1.4.1), 2 instances
  digest    sha256:4f0c

   1  BUILDING        copy shop@8d1f0a2b3c4d into the release store
   2  DEPLOYING       start 2 × shop@8d1f0a2b3c4d, healthy within 5m
   3  DEPLOYING       show shop@8d1f0a2b3c4d at the preview address
   4  DEPLOYING       validate shop@8d1f0a2b3c4d at the preview address: 1
                      check
   5  CANARY          1 % of traffic to shop@8d1f0a2b3c4d
   6  CANARY_WAITING  stage 1 of 3, 1 %: at least 1m, 100 requests, 2 gates
                        error rate at most 5 %
                        p95 at most 20 % worse than stable
                        pauses for a person after 1h without a conclusion
   7  CANARY          10 % of traffic to shop@8d1f0a2b3c4d
   8  CANARY_WAITING  stage 2 of 3, 10 %: at least 1m, 500 requests, 2 gates
                        error rate at most 5 %
                        p95 at most 20 % worse than stable
                        pauses for a person after 1h without a conclusion
   9  PROMOTING       100 % of traffic to shop@8d1f0a2b3c4d
  10  PROMOTED        promote shop@8d1f0a2b3c4d, shop@3f9c2a1b7d04 stays warm
                      for 10m
  11  VERIFYING       validate shop@8d1f0a2b3c4d through the router: 1 check

If it goes back:
  after a failed step or gate, an abort, or at the deadline

  1  ROLLING_BACK  all traffic to shop@3f9c2a1b7d04
  2  ROLLING_BACK  start again what is missing of 2 × shop@3f9c2a1b7d04,
                   healthy within 5m
  3  ROLLING_BACK  take all of shop@8d1f0a2b3c4d out of traffic, requests in
                   flight end within 30s
  4  ROLLING_BACK  stop all of shop@8d1f0a2b3c4d, by force after 10s
  5  ROLLING_BACK  validate shop@3f9c2a1b7d04 through the router: 1 check

Takes at most 2h30m, not counting time that it waits for a person.
`),
  );
});

test('a plan of a first deployment says that it replaces nothing', () => {
  const { rollout } = stories.first();
  const shown = renderPlan(rollout.plan, 'sha256:4f0c', look());
  assert.equal(shown[0], 'Plan: first deployment of shop/production');
  assert.ok(shown.includes('  replaces  nothing: no release is deployed here yet'));
});

test('history lists the newest first, with the reason of what went back', () => {
  const rollouts = [stories.rolledBack().rollout, stories.blueGreenVerified().rollout];
  assert.deepEqual(
    renderHistory(rollouts, look()),
    lines(`
when              result       took  how         release  id
2026-11-21 13:00  ROLLED_BACK  6.5s  canary      1.4.2    d-20261121-7k3f9q
  error rate is 25 % on 24 requests, allowed is at most 5 %
2026-11-21 13:00  VERIFIED     3.5s  blue-green  1.4.2    d-20261121-7k3f9q
`),
  );
  assert.match(renderHistory(rollouts, look(noon, { width: 100 }))[1] ?? '', /alice@desk {2}d-20261121/);
  assert.deepEqual(renderHistory([], look()), ['No deployments yet.']);
});

test('a deployment’s detail has every record, and the evidence under the judgement that decided', () => {
  const { rollout, records } = stories.rolledBack();
  const text = renderDetail({ rollout, records }, look(rollout.at)).join('\n');
  assert.match(text, /^d-20261121-7k3f9q {2}canary of shop\/production\n\n {2}result {4}ROLLED_BACK\n/);
  assert.match(text, /recovery {2}all traffic on stable 500ms after the decision to go back/);
  assert.match(text, /Times in UTC\+01:00\./);
  assert.match(text, /13:00:04 {2}ROLLING_BACK {7}the gates say fail: error rate is 25 % on 24/);
  assert.match(text, /\n {10}on trial {8}24 {4}25 % {2}12 ms {2}41 ms {2}88 ms\n/);
  assert.match(text, /13:00:06 {2}ROLLED_BACK/);
});

test('in a pipe a record is one line, and live numbers are another', () => {
  const story = stories.canaryInProgress();
  const [first] = story.records;
  assert.ok(first !== undefined);
  assert.equal(
    recordLine(first, look()),
    '13:00:00  BUILDING           canary deployment of shop@8d1f0a2b3c4d started by alice@desk; now: copy shop@8d1f0a2b3c4d into the release store',
  );
  const judgement = story.rollout.hold?.judgement;
  assert.ok(judgement !== undefined);
  assert.equal(
    liveLine({ at: noon + 5000, judgement, requestsPerSecond: 184.2 }, 'CANARY_WAITING', look()),
    '13:00:05  CANARY_WAITING     on trial 312 requests, 0.32 % errors, p95 41 ms; stable 10,840 requests, 0.08 % errors, p95 39 ms; 184/s; gates need more',
  );
});

const failure: FailureData = {
  code: 'deployment.locked',
  message:
    'shop/production is locked by c-1 (process 4711 on desk) for deployment d-1 of shop@1, ordered by bob@desk, now CANARY_WAITING',
  at: 'shop/production',
  remedy: 'Follow it with `sluice status --watch`; end it with `sluice abort`.',
};

test('a failure says what, where, and what to do', () => {
  assert.deepEqual(
    renderFailure(failure, look()),
    lines(`
error: shop/production is locked by c-1 (process 4711 on desk) for deployment
       d-1 of shop@1, ordered by bob@desk, now CANARY_WAITING
   at  shop/production
   do  Follow it with \`sluice status --watch\`; end it with \`sluice abort\`.
`),
  );
});

test('a lock says since when it is held', () => {
  const details = { since: noon - 125_000 };
  assert.match(renderFailure({ ...failure, details }, look()).join('\n'), /\nsince {2}12:57:55, 2m5s ago\n {3}do /);
});

test('a failure with several lines keeps them, each cleaned', () => {
  const shown = renderFailure(
    { ...failure, at: undefined, message: 'sluice.yaml has 2 problems:\n  a is \u001b[2Jwrong\n  b is not a setting' },
    look(),
  );
  assert.deepEqual(shown.slice(0, 3), [
    'error: sluice.yaml has 2 problems:',
    '         a is wrong',
    '         b is not a setting',
  ]);
});

test('a defect of Sluice is called one', () => {
  const [first] = renderFailure({ code: 'internal', message: 'invariant broken: x', remedy: 'Report it.' }, look());
  assert.equal(first, 'error: a defect of Sluice: invariant broken: x');
});

test('log lines keep their text whole but for what acts on a terminal', () => {
  const text = `\u001b[2J${'x'.repeat(300)}`;
  const line = { at: noon, release: newRelease.id, instance: 'shop-a', stream: 'stdout', text } as const;
  assert.equal(renderLogLine(line, look()), `13:00:00  shop-a  ${'x'.repeat(300)}`);
});

test('checks show what was seen and how long it took', () => {
  const outcomes = [
    { name: 'GET /health', passed: true, attempts: 1, durationMs: 12, reason: 'answered 200' },
    { name: 'tcp db:5432', passed: false, attempts: 3, durationMs: 3004, reason: 'connection refused' },
  ];
  assert.deepEqual(renderChecks(outcomes, look()), [
    '  ✓ GET /health: answered 200 (12 ms)',
    '  ✗ tcp db:5432: connection refused (3 s, 3 attempts)',
  ]);
  assert.equal(checksSummary(outcomes, look()), '1 of 2 checks failed.');
  assert.equal(checksSummary([], look()), 'No validation checks are configured.');
});

test('pruning says what went, or would go', () => {
  const answer = { releases: [{ id: 'shop@1', bytes: 1_572_864 }], instances: ['shop-a'], dryRun: true };
  assert.deepEqual(renderPrune(answer, look()), [
    'Would remove 1 release (1.5 MiB) and 1 left-over instance.',
    '  shop@1  1.5 MiB',
    '  instance shop-a',
  ]);
  assert.deepEqual(renderPrune({ releases: [], instances: [], dryRun: false }, look()), ['Nothing to remove.']);
});

test('nothing that is drawn for people is wider than their terminal', () => {
  for (const make of Object.values(stories)) {
    const { rollout, records } = make();
    for (const width of [40, 79]) {
      const narrow = look(rollout.at, { width, paint: colourPaint });
      const all = [
        ...renderPlan(rollout.plan, 'sha256:4f0c', narrow),
        ...renderOutcome(rollout, narrow, { attended: false }),
        ...renderHistory([rollout], narrow),
        ...renderDetail({ rollout, records }, narrow),
        ...renderFailure(failure, narrow),
      ];
      assert.deepEqual(
        all.filter((line) => columnsOf(line) > width && !line.includes('sluice ')),
        [],
      );
    }
  }
});
