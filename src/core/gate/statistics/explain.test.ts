import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from './evidence.ts';
import { explain } from './explain.ts';
import { addReading, stageStarted, startGate, type GateState } from './gate.ts';
import { gatePresets } from './settings.ts';
import { asVerdict } from './verdict.ts';

const gate = gatePresets.default;
const bell = [1, 4, 16, 40, 60, 40, 16, 8, 4, 2, 1, 1];
const bounds = bell.slice(1).map((_, index) => 10 * 1.25 ** index);

const counts = (requests: number, errors = 0, slower = 0) => ({
  requests,
  errors,
  latency: bell.map((_, bucket) => Math.round(((requests - errors) * (bell[bucket - slower] ?? 0)) / 193)),
});

function trial(share: number, seconds: number, candidate: ReturnType<typeof counts>): GateState {
  const state = startGate(gate, { candidate: 'new', stable: 'old', at: 0, bounds });
  stageStarted(gate, state, { at: 0, share });
  for (let second = 1; second <= seconds; second += 1) {
    addReading(gate, state, second * 1000, {
      candidate,
      stable: share === 10_000 ? counts(0) : counts(candidate.requests * 9),
    });
  }
  return state;
}

const said = (state: GateState, now: number): string => explain(evaluate(gate, state, now));

test('a verdict on too little says what would change it', () => {
  const text = said(trial(1000, 1, counts(10)), 1000);
  assert.match(text, /^inconclusive: not enough requests to decide at 10 % of traffic\n/);
  assert.match(text, /candidate: 0 of 10 requests failed, 0 % \(0 % to 91\.5 %\), p50 \d/);
  assert.match(text, /stable: {4}0 of 90 requests failed, 0 % \(0 % to \d/);
  assert.match(text, /no suspicion stands out/);
  assert.match(text, /difference of error rates: between -10 points and 50 points/);
  assert.match(text, /latency does not count against the candidate for another 59s/);
  assert.match(
    text,
    /\d further failed requests? in a row would take the candidate out; if it behaves like stable it passes after some \d+ further requests, about \d/,
  );
});

test('a slow candidate is said to be slower, by about how much', () => {
  const text = said(trial(1000, 90, counts(100, 0, 2)), 90_000);
  assert.match(
    text,
    /^fail: the candidate is slower than stable at 10 % of traffic \(p50 and p95 .* against .*\); an honest candidate .* once in 100 deployments/,
  );
  assert.match(text, /most of it says that all requests of the candidate take about \d\.\d\d times as long/);
});

test('a failing candidate is said to fail, beside how much stable fails', () => {
  const text = said(trial(1000, 20, counts(100, 4)), 20_000);
  assert.match(text, /^fail: the candidate fails more requests than stable/);
  assert.match(text, /evidence against: .* of 100 .* the candidate fails about [\d.]+ % of its requests/);
  assert.match(text, /difference of error rates: (?:between|at least) [\d.]+ points/);
});

test('a healthy candidate passes, with each margin named', () => {
  const text = said(trial(1000, 60, counts(100)), 60_000);
  assert.match(text, /^pass: the candidate is no worse than stable by more than the margins/);
  assert.match(
    text,
    /3\.0 needed of each: errors [\d.]+ \(not worse by 2 points\), p95 [\d.]+ \(not worse by 4 points\)/,
  );
});

test('without stable traffic there is nothing to compare with, and that is said', () => {
  const text = said(trial(10_000, 10, counts(100)), 10_000);
  assert.match(text, /^inconclusive: stable gets no traffic/);
  assert.match(text, /stable: {4}no requests/);
});

test('a wrong split and bursts are said too', () => {
  const state = trial(5000, 60, counts(100));
  assert.match(said(state, 60_000), /^inconclusive: the candidate gets 10 % of requests instead of 50 %/);
  Object.assign(state.wealth.burst, { errors: 4.2 });
  state.lost = 7;
  assert.match(said(state, 60_000), /stable fails or stalls in bursts of about 4\.2/);
  assert.match(said(state, 60_000), /7 requests were not seen/);
});

test('as one verdict among others it keeps the outcome, the reason and the wealth', () => {
  const verdict = asVerdict(evaluate(gate, trial(1000, 20, counts(100, 4)), 20_000));
  assert.equal(verdict.outcome, 'fail');
  assert.match(verdict.reason, /^the candidate fails more requests than stable/);
  assert.equal(verdict.limit, 100);
  assert.ok((verdict.value ?? 0) >= 100 && verdict.samples >= 100);
});
