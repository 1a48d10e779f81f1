import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../../test/bench/gates/random.ts';
import { buckets, emptyTick, simulateTick, startRun, type Behaviour } from '../../../../test/bench/gates/traffic.ts';
import { burstOf, createHistory, observeStable, observeStableRequest, type StableHistory } from './history.ts';

const bounds = { least: 1, most: 50 };

function watched(behaviour: Behaviour, seed: number): StableHistory {
  const run = startRun(createRandom(seed));
  const [tick, history] = [emptyTick(), createHistory(buckets)];
  const scenario = { name: '', rate: 200, share: () => 0, candidate: () => behaviour, stable: () => behaviour };
  for (let second = 1; second <= 600; second += 1) {
    simulateTick(run, scenario, tick, second, 1);
    observeStable(history, second * 1000, tick.stable);
  }
  return history;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const seeds = Array.from({ length: 12 }, (_, index) => index + 1);

test('requests that fail independently need next to no correction', () => {
  const bursts = seeds.map((seed) => burstOf(watched({ errorRate: 0.002 }, seed), bounds));
  assert.ok(mean(bursts.map(({ errors }) => errors)) < 1.1);
  assert.ok(mean(bursts.map(({ latency }) => latency)) < 1.2);
});

test('errors in bursts of four are found to come in about four', () => {
  const bursts = seeds.map((seed) => burstOf(watched({ errorRate: 0.002, burst: 4 }, seed), bounds).errors);
  assert.ok(mean(bursts) > 2.8 && mean(bursts) < 6, String(mean(bursts)));
});

test('pods that pause make slow requests come together', () => {
  const bursts = seeds.map((seed) => burstOf(watched({ errorRate: 0.001, pausingPods: 9 }, seed), bounds).latency);
  assert.ok(Math.min(...bursts) > 3, String(bursts));
});

test('the correction stays within its bounds, and is the least one without any history', () => {
  const history = watched({ errorRate: 0.01, burst: 40 }, 1);
  assert.equal(burstOf(history, { least: 1, most: 5 }).errors, 5);
  assert.deepEqual(burstOf(createHistory(buckets), { least: 1.5, most: 5 }), { errors: 1.5, latency: 1.5 });
});

test('requests one by one make the same history as their counts', () => {
  const [single, counted] = [createHistory(4), createHistory(4)];
  const random = createRandom(5);
  for (let second = 0; second < 200; second += 1) {
    const counts = { requests: 0, errors: 0, latency: [0, 0, 0, 0] };
    for (let index = 0; index < 20; index += 1) {
      const [failed, bucket] = [random() < 0.1, Math.floor(random() * 4)];
      observeStableRequest(single, second * 1000, failed, bucket);
      counts.requests += 1;
      if (failed) counts.errors += 1;
      else counts.latency[bucket] = (counts.latency[bucket] ?? 0) + 1;
    }
    observeStable(counted, second * 1000, counts);
  }
  assert.deepEqual(single, counted);
  assert.deepEqual(burstOf(single, bounds), burstOf(counted, bounds));
});
