// The rules around the statistics, each shown by the smallest situation in which it matters.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sample } from '../sample.ts';
import type { Burst } from './block.ts';
import { evaluate } from './evidence.ts';
import { addReading, addSample, stageStarted, startGate, type GateState } from './gate.ts';
import { gatePresets, marginsAt, tuning } from './settings.ts';
import { addBlock, startWealth, totalWealth, wealthParts, type WealthState } from './wealth.ts';

const gate = gatePresets.default;
const bell = [1, 4, 16, 40, 60, 40, 16, 8, 4, 2, 1, 1];
const history = { requests: 2000, errors: 2, latency: bell.map((count) => count * 10) };
const none: Burst = { errors: 1, latency: 1 };

const counts = (requests: number, errors = 0) => ({
  requests,
  errors,
  latency: bell.map((count) => ((requests - errors) * count) / 193),
});

interface Feed {
  readonly candidate: ReturnType<typeof counts>;
  readonly stable: ReturnType<typeof counts>;
}

function judged(burst: Burst, blocks: readonly Feed[], firstAt = 120_000): WealthState {
  const state = startWealth(gate, history, burst);
  for (const [index, block] of blocks.entries()) {
    addBlock(gate, state, block, { at: firstAt + index * 1000, margins: marginsAt(gate, 1000), alone: false });
  }
  return state;
}

const bounds = bell.slice(1).map((_, index) => 10 * 1.25 ** index);

function opened(share: number): GateState {
  const state = startGate(gate, { candidate: 'new', stable: 'old', at: 0, bounds });
  stageStarted(gate, state, { at: 0, share });
  return state;
}

const healthy: Feed = { candidate: counts(100), stable: counts(900) };

function feedHealthy(state: GateState, seconds: number, from: number): void {
  for (let second = 1; second <= seconds; second += 1) addReading(gate, state, from + second * 1000, healthy);
}

test('two failures never abort, however much they are worth; the third does', () => {
  const state = opened(100);
  for (let failures = 1; failures <= 3; failures += 1) {
    assert.equal(evaluate(gate, state, failures * 1000).outcome, 'inconclusive');
    addReading(gate, state, failures * 1000, { candidate: counts(1, 1), stable: counts(99) });
    if (failures === 2) assert.ok(totalWealth(state.wealth) > 100);
  }
  assert.equal(evaluate(gate, state, 4000).outcome, 'fail');
});

test('evidence is divided by the size of bursts, for errors and for latency each by its own', () => {
  const slow = { requests: 20, errors: 0, latency: bell.map((_, bucket) => (bucket > 7 ? 5 : 0)) };
  const block = { candidate: { ...slow, requests: 23, errors: 3 }, stable: counts(200) };
  const before = startWealth(gate, history, none).stakes;
  const logs = (burst: Burst): number[] =>
    judged(burst, [block]).stakes.map((stake, index) => Math.log(stake / (before[index] ?? 1)));
  // a block two minutes in comes with two injections, which are the same for both
  const growth = (burst: Burst): number[] => {
    const state = judged(burst, [], 0);
    addBlock(gate, state, block, { at: 59_999, margins: marginsAt(gate, 1000), alone: false });
    return state.stakes.map((stake, index) => Math.log(stake / (before[index] ?? 1)));
  };
  const [single, four] = [growth(none), growth({ errors: 4, latency: 2 })];
  for (const [index, log] of single.entries()) {
    const isLatency = index >= 5 && index < 13;
    assert.ok(Math.abs((four[index] ?? 0) - log / (isLatency ? 2 : 4)) < 1e-9, `suspicion ${index}`);
  }
  assert.ok(logs(none).some((log) => log > 1));
});

test('the guard stays silent while stable failed lately, even in a block in which it did not', () => {
  const calm = judged(none, [{ candidate: counts(1, 1), stable: counts(9) }]);
  const outage = judged(none, [
    { candidate: counts(1), stable: counts(30, 3) },
    { candidate: counts(1, 1), stable: counts(9) },
  ]);
  assert.ok(wealthParts(calm).guard > 2 * gate.capital.guard);
  assert.ok(wealthParts(outage).guard < gate.capital.guard);
});

test('a stage must earn its promotion anew', () => {
  const state = opened(1000);
  feedHealthy(state, 30, 0);
  assert.equal(evaluate(gate, state, 30_000).outcome, 'pass');
  stageStarted(gate, state, { at: 30_000, share: 1000 });
  assert.equal(evaluate(gate, state, 30_000).outcome, 'inconclusive');
  feedHealthy(state, 30, 30_000);
  assert.equal(evaluate(gate, state, 60_000).outcome, 'pass');
});

test('a stage stakes a part of the cash, and no more than there is', () => {
  const state = opened(100);
  assert.ok(Math.abs(state.wealth.cash - (1 - tuning.startShare - tuning.stageShare)) < 1e-12);
  for (let stage = 1; stage < 12; stage += 1) stageStarted(gate, state, { at: stage, share: 100 + stage });
  assert.ok(state.wealth.cash >= 0 && state.wealth.cash < 1e-12);
  assert.ok(Math.abs(totalWealth(state.wealth) - 1) < 1e-9);
});

test('latency in the warm-up counts for the bet on the whole stage only', () => {
  const state = opened(1000);
  feedHealthy(state, 20, 0);
  assert.ok(state.wealth.promotion.p95 > 1);
  assert.equal(state.wealth.promotion.warm.p95, 0);
  assert.equal(wealthParts(state.wealth).latency, (tuning.startShare + tuning.stageShare) * gate.capital.latency);
});

const request = (at: number, release: string, status = 200): Sample => ({
  at,
  release,
  instance: 'i',
  status,
  latencyMs: 30,
  via: 'share',
  origin: 'instance',
});

test('with all traffic on the candidate its requests are judged by the guard alone', () => {
  const state = opened(10_000);
  for (let index = 1; index <= 6; index += 1) addSample(gate, state, request(index * 20, 'new', 500));
  assert.equal(state.wealth.block.candidate.requests, 0);
  assert.equal(state.failed?.metric, 'errors');
});

test('a block waits for three requests of stable as long as stable has traffic', () => {
  const state = opened(1000);
  for (let index = 1; index <= 6; index += 1) addSample(gate, state, request(index * 20, 'new'));
  addSample(gate, state, request(140, 'old'));
  assert.equal(state.wealth.block.candidate.requests, 6);
  addSample(gate, state, request(160, 'old'));
  addSample(gate, state, request(180, 'old'));
  assert.equal(state.wealth.block.candidate.requests, 0);
});

test('a failed request closes no block by itself: blocks end by numbers and times alone', () => {
  const [failing, working] = [opened(1000), opened(1000)];
  for (const [state, status] of [
    [failing, 500],
    [working, 200],
  ] as const) {
    for (let index = 0; index < 4; index += 1) addSample(gate, state, request(1, 'old'));
    addSample(gate, state, request(2, 'new', status));
  }
  assert.equal(failing.wealth.block.candidate.requests, working.wealth.block.candidate.requests);
});

test('requests before the last block’s time are judged too, and do not make the past weigh more', () => {
  const state = opened(1000);
  for (let index = 1; index <= 40; index += 1)
    addSample(gate, state, request(60_000 + index * 20, index % 4 === 0 ? 'new' : 'old'));
  const known = state.wealth.estimate.counts.requests;
  for (let index = 1; index <= 40; index += 1)
    addSample(gate, state, request(index * 20, index % 4 === 0 ? 'new' : 'old'));
  assert.ok(state.wealth.block.candidate.requests <= 1);
  assert.ok(state.wealth.estimate.counts.requests <= known + 30 + 1e-9);
});

test('a candidate that failed stays failed, as of the first time', () => {
  const state = opened(1000);
  for (let index = 1; index <= 5; index += 1)
    addReading(gate, state, index, { candidate: counts(2, 2), stable: counts(18) });
  const { failed } = state;
  assert.ok(failed !== undefined);
  feedHealthy(state, 60, 60_000);
  const verdict = evaluate(gate, state, 121_000);
  assert.deepEqual([verdict.outcome, verdict.evidence.failedAt], ['fail', failed.at]);
  for (let index = 1; index <= 5; index += 1)
    addReading(gate, state, 121_000 + index, { candidate: counts(50, 50), stable: counts(18) });
  assert.equal(state.failed?.at, failed.at);
});
