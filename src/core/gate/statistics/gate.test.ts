import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHistogram } from '../histogram.ts';
import type { Sample } from '../sample.ts';
import { evaluate } from './evidence.ts';
import { explain } from './explain.ts';
import { addHistorySample, addReading, addSample, stageStarted, startGate, type GateState } from './gate.ts';
import { createHistory } from './history.ts';
import { gatePresets, type StatisticalGate } from './settings.ts';

const gate = gatePresets.default;
const startedAt = 1_700_000_000_000;

/** A fixed sequence of numbers in [0, 1) that looks random. */
function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Traffic {
  readonly random: () => number;
  /** Requests per second and the candidate's part of them. */
  readonly rate: number;
  readonly share: number;
  readonly errorRate: { readonly candidate: number; readonly stable: number };
  readonly slower: number;
  readonly medianMs?: number;
}

const calm: Traffic = {
  random: sequence(1),
  rate: 100,
  share: 0.1,
  errorRate: { candidate: 0.001, stable: 0.001 },
  slower: 1,
};

function sample(traffic: Traffic, at: number): Sample {
  const { random } = traffic;
  const candidate = random() < traffic.share;
  const failed = random() < traffic.errorRate[candidate ? 'candidate' : 'stable'];
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return {
    at,
    release: candidate ? 'new' : 'old',
    instance: 'i1',
    status: failed ? 500 : 200,
    latencyMs: (traffic.medianMs ?? 100) * Math.exp(0.6 * normal) * (candidate ? traffic.slower : 1),
    via: 'share',
    origin: 'instance',
  };
}

function started(share = 1000, settings: StatisticalGate = gate, medianMs = 100): GateState {
  const history = createHistory(createHistogram().counts.length);
  const traffic = { ...calm, random: sequence(99), share: 0, medianMs };
  for (let index = 0; index < 30_000; index += 1)
    addHistorySample(history, sample(traffic, startedAt - 300_000 + index * 10));
  const state = startGate(settings, { candidate: 'new', stable: 'old', at: startedAt }, history);
  stageStarted(settings, state, { at: startedAt, share });
  return state;
}

/** Feeds `seconds` of traffic and returns how many requests of the candidate failed until the gate did. */
function feed(state: GateState, traffic: Traffic, seconds: number, settings: StatisticalGate = gate): number {
  let bad = 0;
  for (let index = 0; index < seconds * traffic.rate && state.failed === undefined; index += 1) {
    const next = sample(traffic, startedAt + Math.round((index * 1000) / traffic.rate));
    if (next.release === 'new' && next.status >= 500) bad += 1;
    addSample(settings, state, next);
  }
  return bad;
}

test('a candidate that fails every request is out after three', () => {
  const state = started();
  const bad = feed(state, { ...calm, random: sequence(2), errorRate: { candidate: 1, stable: 0.001 } }, 60);
  const verdict = evaluate(gate, state, startedAt + 60_000);
  assert.equal(verdict.outcome, 'fail');
  assert.equal(verdict.reason, 'errors');
  assert.ok(bad <= 4, `${bad} failed requests`);
  assert.match(explain(verdict), /^fail: the candidate fails more requests than stable at 10 % of traffic/);
});

test('a slow candidate is not judged while it warms up, and is out soon after', () => {
  const state = started();
  const traffic = { ...calm, random: sequence(3), slower: 1.5 };
  feed(state, traffic, 59);
  assert.equal(evaluate(gate, state, startedAt + 59_000).outcome, 'inconclusive');
  feed(state, traffic, 120);
  const verdict = evaluate(gate, state, startedAt + 120_000);
  assert.equal(verdict.reason, 'latency');
  assert.match(explain(verdict), /slower than stable/);
});

test('a difference below the floor of latency is nobody’s, and one that rises above it is seen', () => {
  const colder = { ...calm, random: sequence(5), medianMs: 1, slower: 1.4 };
  const state = started(1000, gate, 1);
  feed(state, colder, 240);
  const { outcome, evidence } = evaluate(gate, state, startedAt + 240_000);
  assert.equal(outcome, 'pass');
  assert.ok((evidence.candidate.p50?.valueMs ?? 0) < 2, 'what is shown is what it really took');
  const withoutFloor = { ...gate, latencyFloorMs: 0 };
  const strictly = started(1000, withoutFloor, 1);
  feed(strictly, { ...colder, random: sequence(5) }, 240, withoutFloor);
  assert.equal(evaluate(withoutFloor, strictly, startedAt + 240_000).reason, 'latency');
  const slow = started(1000, gate, 1);
  feed(slow, { ...colder, random: sequence(6), slower: 15 }, 240);
  assert.equal(evaluate(gate, slow, startedAt + 240_000).reason, 'latency');
});

test('counted requests have the same floor', () => {
  const bounds = [1, 5, 10, 50];
  const settings = { ...gate, warmUpMs: 0 };
  const verdictAfter = (candidate: readonly number[]) => {
    const state = startGate(settings, { candidate: 'new', stable: 'old', at: startedAt, bounds });
    stageStarted(settings, state, { at: startedAt, share: 1000 });
    for (let second = 1; second <= 120; second += 1)
      addReading(settings, state, startedAt + second * 1000, {
        candidate: { requests: 20, errors: 0, latency: candidate },
        stable: { requests: 180, errors: 0, latency: [180, 0, 0, 0, 0] },
      });
    return evaluate(settings, state, startedAt + 120_000);
  };
  assert.equal(verdictAfter([0, 10, 10, 0, 0]).outcome, 'pass', 'all within 10 ms');
  assert.equal(verdictAfter([0, 0, 0, 20, 0]).reason, 'latency');
});

test('a healthy candidate passes, and says before how long that will take', () => {
  const state = started();
  const traffic = { ...calm, random: sequence(4) };
  feed(state, traffic, 10);
  const early = evaluate(gate, state, startedAt + 10_000);
  assert.equal(early.outcome, 'inconclusive');
  const { requestsToPass = 0, passInMs = 0 } = early.evidence.outlook;
  assert.ok(requestsToPass > 20 && requestsToPass < 400, String(requestsToPass));
  assert.ok(passInMs > 2000 && passInMs < 60_000, String(passInMs));
  feed(state, traffic, 120);
  assert.equal(evaluate(gate, state, startedAt + 130_000).outcome, 'pass');
});

test('the outlook names the number of failures that takes the candidate out', () => {
  const state = started();
  feed(state, { ...calm, random: sequence(5) }, 5);
  const now = startedAt + 5000;
  const { failuresToFail } = evaluate(gate, state, now).evidence.outlook;
  assert.ok(failuresToFail !== undefined && failuresToFail >= 2);
  for (let failure = 1; failure <= failuresToFail; failure += 1) {
    assert.equal(state.failed, undefined);
    const worked = { requests: 9, errors: 0, latency: state.totals.stable.latency.map(() => 0) };
    const failed = { requests: 1, errors: 1, latency: worked.latency };
    addReading(gate, state, now + failure, { candidate: failed, stable: worked });
  }
  assert.equal(state.failed?.metric, 'errors');
});

test('a stage without stable traffic never passes, but the guard still takes a failing candidate out', () => {
  const state = started(10_000);
  feed(state, { ...calm, random: sequence(6), share: 1 }, 300);
  const verdict = evaluate(gate, state, startedAt + 300_000);
  assert.deepEqual([verdict.outcome, verdict.reason], ['inconclusive', 'no-stable']);
  feed(state, { ...calm, random: sequence(7), share: 1, errorRate: { candidate: 0.3, stable: 0 } }, 10);
  assert.equal(evaluate(gate, state, startedAt + 310_000).outcome, 'fail');
});

test('nothing is passed without data of both releases', () => {
  const state = started();
  assert.equal(evaluate(gate, state, startedAt + 3_600_000).reason, 'no-data');
});

test('a split of traffic that is not the configured one makes the verdict inconclusive', () => {
  const state = started(2000);
  feed(state, { ...calm, random: sequence(8), share: 0.1 }, 120);
  const verdict = evaluate(gate, state, startedAt + 120_000);
  assert.deepEqual([verdict.outcome, verdict.reason], ['inconclusive', 'split']);
  assert.match(explain(verdict), /instead of 20 %/);
});

test('requests that chance did not send to the candidate can break the guard but never pass a stage', () => {
  const state = started();
  for (let index = 0; index < 2000; index += 1) {
    const next = sample({ ...calm, random: sequence(index) }, startedAt + index * 10);
    addSample(gate, state, next.release === 'new' ? { ...next, via: 'rule', status: 200 } : next);
  }
  assert.equal(evaluate(gate, state, startedAt + 20_000).reason, 'no-data');
  for (let index = 0; index < 40; index += 1) {
    const at = startedAt + 20_000 + index * 10;
    const next = sample(calm, at);
    addSample(gate, state, {
      ...next,
      release: index % 5 === 0 ? 'new' : 'old',
      via: index % 5 === 0 ? 'rule' : 'share',
      status: index % 5 === 0 ? 500 : 200,
    });
  }
  assert.equal(evaluate(gate, state, startedAt + 21_000).outcome, 'fail');
});

test('a gate that is written down in the middle goes on exactly as one that was not', () => {
  const whole = started();
  const traffic = { ...calm, random: sequence(9) };
  const samples = Array.from({ length: 4000 }, (_, index) => sample(traffic, startedAt + index * 10));
  for (const next of samples.slice(0, 1777)) addSample(gate, whole, next);
  const resumed = JSON.parse(JSON.stringify(whole)) as GateState;
  for (const next of samples.slice(1777)) {
    addSample(gate, whole, next);
    addSample(gate, resumed, next);
  }
  assert.deepEqual(evaluate(gate, resumed, startedAt + 40_000), evaluate(gate, whole, startedAt + 40_000));
});

test('the state of a long trial stays within 4 KB', () => {
  const state = started(5000);
  feed(state, { ...calm, random: sequence(10), share: 0.5, rate: 1000 }, 300);
  const bytes = JSON.stringify(state).length;
  assert.ok(bytes <= 4096, `${bytes} bytes`);
});

test('a clock that goes back neither stops the gate nor breaks it', () => {
  const state = started();
  const traffic = { ...calm, random: sequence(11) };
  feed(state, traffic, 20);
  for (let index = 0; index < 2000; index += 1)
    addSample(gate, state, sample(traffic, startedAt - 60_000 + index * 10));
  const { evidence } = evaluate(gate, state, startedAt + 1000);
  assert.ok(evidence.promotion.errors > 1);
  assert.ok(Number.isFinite(evidence.wealth.total));
});
