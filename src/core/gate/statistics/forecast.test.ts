import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeForecast, forecast, type ForecastQuestion } from './forecast.ts';
import { gatePresets } from './settings.ts';

const question: ForecastQuestion = {
  gate: gatePresets.default,
  requestsPerSecond: 100,
  share: 1000,
  errorRate: 0.001,
  candidates: [1, 0.05, 0.01, 0.001],
};

test('the forecast agrees with what simulation measured at 100 requests a second and 10 %', () => {
  const { aborts, pass, candidatePerSecond } = forecast(question);
  assert.equal(candidatePerSecond, 10);
  const [all, five, one, none] = aborts.map(({ requests }) => requests);
  assert.equal(all, 3);
  // simulated means: 88 and 750 requests
  assert.ok(five !== undefined && five > 50 && five < 100, String(five));
  assert.ok(one !== undefined && one > 450 && one < 850, String(one));
  assert.equal(none, undefined);
  assert.ok(pass.requests > 150 && pass.requests < 220, String(pass.requests));
});

test('the forecast in words names traffic, time and price', () => {
  const text = describeForecast(question, forecast(question));
  assert.match(text, /^at 10 % of traffic the candidate gets 10 requests a second; stable fails 0\.1 %$/m);
  assert.match(text, /failing 5 % of its requests is out after about \d+ of them/);
  assert.match(text, /failing 0\.1 % of its requests would not be told from stable/);
  assert.match(text, /at most once in 100 deployments/);
});

test('every preset passes sooner at a small share than at a large one', () => {
  for (const gate of Object.values(gatePresets)) {
    const requests = [100, 5000].map((share) => forecast({ ...question, gate, share }).pass.requests);
    assert.ok((requests[0] ?? 0) <= (requests[1] ?? 0) * 1.2, String(requests));
  }
});
