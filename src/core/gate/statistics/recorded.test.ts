import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sample } from '../sample.ts';
import { addHistorySample, startGate } from './gate.ts';
import { createHistory } from './history.ts';
import { latencyBounds } from '../histogram.ts';
import { addToRecorded, startRecorded, worseThanRecorded, type RecordedTrial } from './recorded.ts';
import { gatePresets } from './settings.ts';

const gate = gatePresets.default;
const watchMs = 900_000;

/** The same numbers each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Behaviour {
  readonly errors: number;
  /** All latencies are so many times as long. */
  readonly slower: number;
}

const healthy: Behaviour = { errors: 0.001, slower: 1 };

function request(random: () => number, release: string, at: number, { errors, slower }: Behaviour): Sample {
  const failed = random() < errors;
  const latencyMs = slower * 20 * Math.exp(0.5 * (random() + random() + random() - 1.5) * 2);
  return {
    at,
    release,
    instance: `${release}-1`,
    status: failed ? 500 : 200,
    latencyMs,
    via: 'share',
    origin: 'instance',
  };
}

/** The record of a healthy stable release, and a watch that begins at 100,000. */
function recorded(random: () => number, requests = 2_000): RecordedTrial {
  const history = createHistory(latencyBounds.length + 1);
  for (let index = 0; index < requests; index += 1)
    addHistorySample(history, request(random, 'old', index * 40, healthy));
  const state = startGate(gate, { candidate: 'new', stable: 'old', at: 100_000 }, history);
  return startRecorded(gate, state, 100_000, watchMs);
}

/** Seconds until the release is blamed, with a hundred requests a second, a look each second, and a fault from a second on. */
function blamed(trial: RecordedTrial, random: () => number, seconds: number, fault?: Behaviour, from = 30) {
  const startsAt = (trial.lookedAt - trial.startedAt) / 1000;
  for (let second = 0; second < seconds; second += 1) {
    for (let index = 0; index < 100; index += 1) {
      const behaviour = fault !== undefined && second >= from ? fault : healthy;
      addToRecorded(trial, request(random, 'new', 100_000 + (startsAt + second) * 1000 + index * 10, behaviour));
    }
    const reason = worseThanRecorded(gate, trial, 100_000 + (startsAt + second + 1) * 1000);
    if (reason !== undefined) return { second, reason };
  }
  return undefined;
}

test('a release that stays as good as the record is never blamed', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = seeded(seed);
    assert.equal(blamed(recorded(random), random, 900), undefined, `seed ${seed}`);
  }
});

test('a release that begins to fail is blamed, after more requests where fewer of them fail', () => {
  const after = (errors: number): number => {
    const random = seeded(7);
    const found = blamed(recorded(random), random, 300, { errors, slower: 1 });
    assert.match(found?.reason ?? '', /of its requests fail since the promotion/);
    return found?.second ?? Number.NaN;
  };
  const all = after(1);
  assert.ok(all >= 36 && all <= 40, `after ${all} s`);
  assert.equal(after(0.2), all);
  assert.ok(after(0.05) <= 42);
});

test('a release that becomes much slower is blamed for that, one that becomes a little slower is not', () => {
  const random = seeded(3);
  const found = blamed(recorded(random), random, 300, { errors: 0.001, slower: 3 });
  assert.match(found?.reason ?? '', /slower than nearly all/);
  assert.ok((found?.second ?? Number.NaN) <= 42);
  const little = seeded(3);
  assert.equal(blamed(recorded(little), little, 300, { errors: 0.001, slower: 1.1 }), undefined);
});

test('a stall or a hiccup of some seconds blames nobody', () => {
  for (const fault of [
    { errors: 1, slower: 1 },
    { errors: 0, slower: 20 },
  ]) {
    const random = seeded(9);
    const trial = recorded(random);
    for (let minute = 0; minute < 10; minute += 1) {
      assert.equal(blamed(trial, random, 4, fault, 0), undefined);
      assert.equal(blamed(trial, random, 56), undefined);
    }
  }
});

test('where hardly anything is known of stable, latency is not judged, and errors are', () => {
  const random = seeded(5);
  const trial = recorded(random, 50);
  assert.equal(trial.slow, undefined);
  assert.match(blamed(trial, random, 60, { errors: 0.5, slower: 1 })?.reason ?? '', /fail/);
});

test('requests from before the promotion and to the preview address are no evidence', () => {
  const random = seeded(2);
  const trial = recorded(random);
  const bad = request(random, 'new', 99_999, { errors: 1, slower: 1 });
  for (let index = 0; index < 100; index += 1) {
    addToRecorded(trial, bad);
    addToRecorded(trial, { ...bad, at: 100_500, via: 'preview' });
  }
  assert.equal(worseThanRecorded(gate, trial, 101_000), undefined);
});

test('a clock that goes back stakes nothing twice', () => {
  const random = seeded(2);
  const trial = recorded(random);
  for (const now of [200_000, 150_000, 200_000, 100_000, 200_000]) worseThanRecorded(gate, trial, now);
  const staked = [...trial.errors.stakes, ...(trial.slow?.stakes ?? [])].reduce((sum, stake) => sum + stake, 0);
  assert.ok(Math.abs(staked - 100_000 / watchMs) < 1e-9);
});
