import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mannWhitney } from '../../../../test/bench/gates/rules/mann-whitney.ts';
import { bucketOf } from '../histogram.ts';
import { addRequest, noCounts } from './counts.ts';
import { coupledLogFactor } from './coupled.ts';
import { twoSampleLimit, waldLimit } from './limits.ts';
import { pooledLogFactor, pooledLogFactorOfErrors, tilted } from './pooled.ts';
import { bestScale, rateInterval, rateLogWealth } from './mixture.ts';
import { leastOf, promotionLogs } from './promotion.ts';
import { gatePresets, marginsAt, type StatisticalGate } from './settings.ts';
import { multinomialLogWealth } from './split.ts';
import { expit, logit, normalQuantile } from './special.ts';
import { addBlock, decidingWealth, startWealth, totalWealth } from './wealth.ts';

const fixtures = join(import.meta.dirname, '../../../../test/fixtures/statistics');

const read = (name: string): unknown => JSON.parse(readFileSync(join(fixtures, name), 'utf8'));

/** The settings with which the reference answers were computed. */
const referenceGate: StatisticalGate = {
  ...gatePresets.default,
  warmUpMs: 0,
  capital: { errors: 0.45, latency: 0.35, guard: 0.2 },
  guard: { rate: 0.005, memory: 0 },
  margins: [{ upToShare: 10_000, errors: 0.005, p95: 0.02, p99: 0.01 }],
};

const close = (got: number, want: number, what: string): void =>
  assert.ok(Math.abs(got - want) <= 1e-9 * Math.max(1, Math.abs(want)), `${what}: ${got} instead of ${want}`);

interface Vector {
  readonly fn: string;
  readonly value: number;
  readonly [name: string]: number | string | readonly number[];
}

/** A number of a vector by its name in the file. */
const number = (vector: Vector, name: string): number => vector[name] as number;

const answers: Readonly<Record<string, (vector: Vector) => number>> = {
  pooled_log_e: (v) =>
    pooledLogFactorOfErrors(
      { requests: number(v, 'nc'), errors: number(v, 'xc') },
      { requests: number(v, 'ns'), errors: number(v, 'xs') },
      expit(logit(number(v, 'p')) + number(v, 'tilt')),
      number(v, 'p'),
    ),
  pooled_log_e_hist: (v) => {
    const base = v['base'] as readonly number[];
    let below = 0;
    const scores = base.map((mass) => {
      below += mass;
      return normalQuantile(below - mass / 2);
    });
    const counts = { candidate: v['hc'] as number[], stable: v['hs'] as number[] };
    return pooledLogFactor(counts.candidate, counts.stable, tilted(base, scores, number(v, 'eta')), base);
  },
  coupled_log_e: (v) =>
    coupledLogFactor(
      { requests: number(v, 'nc'), bad: number(v, 'xc') },
      { requests: number(v, 'ns'), bad: number(v, 'xs') },
      { stake: number(v, 'lam'), guess: number(v, 'q'), margin: number(v, 'delta'), ratio: number(v, 'r') },
    ),
  wald_limit: (v) => waldLimit(number(v, 'p1'), number(v, 'p0'), number(v, 'alpha')),
  two_sample_limit: (v) => twoSampleLimit(number(v, 'p1'), number(v, 'p0'), number(v, 'w'), number(v, 'alpha')),
};

test('every factor and limit agrees with the reference to 1e-9', () => {
  const { own } = read('vectors.json') as { own: readonly Vector[] };
  assert.equal(own.length, 48);
  for (const vector of own) {
    const answer = answers[vector.fn];
    assert.ok(answer, `no answer for ${vector.fn}`);
    close(answer(vector), vector.value, JSON.stringify(vector));
  }
});

/** What of the published numbers the gate computes too; the others belong to methods that it does not use. */
const published: Readonly<Record<string, () => number>> = {
  'best_rho(100,.05)': () => bestScale(100, 0.05),
  // 625 requests at a rate of 0.2 have a variance of 100; ten more bad ones than expected
  'beta_binomial_log_mixture two-sided g=.2 h=.8': () => rateLogWealth(135, 625, 0.2, 625),
  'bernoulli_cs(700/1000,t_opt=100) lower': () => rateInterval(700, 1000, 0.05, 100).low,
  'bernoulli_cs(700/1000,t_opt=100) upper': () => rateInterval(700, 1000, 0.05, 100).high,
  'bernoulli_cs(15/50,t_opt=50) lower': () => rateInterval(15, 50, 0.05, 50).low,
  'bernoulli_cs(15/50,t_opt=50) upper': () => rateInterval(15, 50, 0.05, 50).high,
  'bernoulli_cs(5/50,t_opt=50) lower': () => rateInterval(5, 50, 0.05, 50).low,
  'bernoulli_cs(5/50,t_opt=50) upper': () => rateInterval(5, 50, 0.05, 50).high,
  'bernoulli_cs(1/50,t_opt=50) lower': () => rateInterval(1, 50, 0.05, 50).low,
  'bernoulli_cs(1/50,t_opt=50) upper': () => rateInterval(1, 50, 0.05, 50).high,
  'bernoulli_cs(100/200,t_opt=1) lower': () => rateInterval(100, 200, 0.05, 1).low,
  'bernoulli_cs(100/200,t_opt=1) upper': () => rateInterval(100, 200, 0.05, 1).high,
  'bernoulli_cs(1/2,t_opt=50) lower': () => rateInterval(1, 2, 0.05, 50).low,
  'bernoulli_cs(1/2,t_opt=50) upper': () => rateInterval(1, 2, 0.05, 50).high,
  'bernoulli_cs(0/1,t_opt=50) lower': () => rateInterval(0, 1, 0.05, 50).low,
  'bernoulli_cs(0/1,t_opt=50) upper': () => rateInterval(0, 1, 0.05, 50).high,
  'multinomial p at n=210 counts=[148, 62]': () => Math.exp(-multinomialLogWealth([148, 62], [0.8, 0.2])),
  'MW lower': () => mannWhitney([10, 20, 30, 40], [1, 2, 3, 4], 0.98).low,
  'MW upper': () => mannWhitney([10, 20, 30, 40], [1, 2, 3, 4], 0.98).high,
  'MW estimate': () => mannWhitney([10, 20, 30, 40], [1, 2, 3, 4], 0.98).estimate,
  'MW issue 6278: 7 of 10 bad minutes => lower': () => mannWhitney(badMinutes, goodMinutes, 0.98).low,
  'MW issue 6278: upper': () => mannWhitney(badMinutes, goodMinutes, 0.98).high,
};

const goodMinutes = Array.from({ length: 10 }, () => 1);
const badMinutes = Array.from({ length: 10 }, (_, index) => (index < 7 ? 100 : 1));

test('intervals, the split of traffic and Kayenta’s rule agree with published numbers and the reference to 1e-9', () => {
  const entries = (
    read('vectors.json') as { published: readonly { name: string; got: number; want: number; tol: number }[] }
  ).published;
  const names = new Set(entries.map(({ name }) => name));
  assert.deepEqual(
    Object.keys(published).filter((name) => !names.has(name)),
    [],
  );
  for (const { name, got, want, tol } of entries) {
    const answer = published[name]?.();
    if (answer === undefined) continue;
    close(answer, got, name);
    assert.ok(Math.abs(answer - want) <= tol, `${name}: ${answer} instead of ${want}`);
  }
});

interface Header {
  readonly duration_s: number;
  readonly le: readonly number[];
  readonly history: { readonly n: number; readonly errors: number; readonly buckets: readonly number[] };
}

interface Request {
  readonly t: number;
  readonly v: 'canary' | 'stable';
  readonly status: number;
  readonly ms: number;
}

interface Expected {
  readonly name: string;
  readonly requests: number;
  readonly abort: { readonly t: number; readonly reason: string; readonly canary_errors: number } | null;
  readonly promote: { readonly t: number } | null;
  readonly log: readonly {
    readonly t: number;
    readonly wealth: number;
    readonly ni: readonly [number, number, number];
  }[];
}

for (const expected of read('traces/expected.json') as readonly Expected[]) {
  test(`the trace ${expected.name} gives the wealth, the promotion logs and the decision of the reference`, () => {
    const lines = readFileSync(join(fixtures, `traces/${expected.name}.jsonl`), 'utf8')
      .trim()
      .split('\n');
    const [header, ...requests] = lines.map((line): unknown => JSON.parse(line)) as [Header, ...Request[]];
    assert.equal(requests.length, expected.requests);
    const buckets = header.le.length + 1;
    const history = { requests: header.history.n, errors: header.history.errors, latency: header.history.buckets };
    const state = startWealth(referenceGate, history, { errors: 1, latency: 1 });
    const decisions: { abort: number | undefined; promote: number | undefined } = {
      abort: undefined,
      promote: undefined,
    };
    let compared = 0;
    for (let tick = 1; tick <= header.duration_s; tick += 1) {
      const counts = { candidate: noCounts(buckets), stable: noCounts(buckets) };
      for (const { v, status, ms } of requests.filter(({ t }) => t > tick - 1 && t <= tick)) {
        addRequest(v === 'canary' ? counts.candidate : counts.stable, status >= 500, bucketOf(ms, header.le));
      }
      addBlock(referenceGate, state, counts, {
        at: tick * 1000,
        margins: marginsAt(referenceGate, 5000),
        alone: false,
      });
      const logs = promotionLogs(state.promotion);
      if (decidingWealth(referenceGate, state) >= 100) decisions.abort ??= tick;
      else if (decisions.abort === undefined && leastOf(logs) >= Math.log(20)) decisions.promote ??= tick;
      const entry = expected.log.find(({ t }) => t === tick);
      if (entry === undefined) continue;
      compared += 1;
      close(totalWealth(state), entry.wealth, `wealth at ${tick} s`);
      for (const [index, log] of Object.values(logs).entries())
        close(log, entry.ni[index] ?? 0, `log ${index} at ${tick} s`);
    }
    assert.equal(compared, expected.log.length);
    assert.equal(decisions.abort, expected.abort?.t);
    assert.equal(decisions.promote, expected.promote?.t);
  });
}
