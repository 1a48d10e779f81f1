import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addSample, createWindow, evidenceOf } from '../gate/window.ts';
import type { Judgement, Verdict } from '../gate/verdict.ts';
import { badSince } from './bad-since.ts';

function judgement(failingSince: number | undefined, ...verdicts: readonly Partial<Verdict>[]): Judgement {
  return {
    outcome: 'fail',
    verdicts: verdicts.map((verdict) => ({ check: 'c', outcome: 'fail', reason: 'r', samples: 1, ...verdict })),
    candidate: { release: 'shop@new', requests: 10, errors: 1, unanswered: 0, failingSince },
    lost: 0,
  };
}

test('the first sign is the first failed request, or the first bad answer, of what failed', () => {
  assert.equal(badSince(judgement(500, {})), 500);
  assert.equal(badSince(judgement(undefined, { since: 700 })), 700);
  assert.equal(badSince(judgement(500, { since: 700 })), 700, 'failed requests do not speak for a question');
  assert.equal(badSince(judgement(500, { since: 700 }, {})), 500);
  assert.equal(badSince(judgement(undefined, {})), undefined, 'nothing tells when latency rose');
  assert.equal(badSince(judgement(500, { outcome: 'pass', since: 200 }, { weight: 0, since: 300 })), undefined);
});

test('errors that are a minute apart do not belong together', () => {
  const window = createWindow('shop@new', 'shop@old', 0);
  const fail = (at: number): void =>
    addSample(window, {
      at,
      release: 'shop@new',
      instance: 'i',
      status: 500,
      latencyMs: 1,
      via: 'share',
      origin: 'instance',
    });
  const since = (): number | undefined => evidenceOf(window, 'candidate').failingSince;
  assert.equal(since(), undefined);
  fail(1_000);
  fail(61_000);
  assert.equal(since(), 1_000);
  fail(121_001);
  assert.equal(since(), 121_001);
  fail(122_000);
  assert.equal(since(), 121_001);
  assert.equal(evidenceOf(window, 'stable').failingSince, undefined);
});
