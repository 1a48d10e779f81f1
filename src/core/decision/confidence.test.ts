import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { asking } from '../../../test/engine/specs.ts';
import { latencyBounds } from '../gate/histogram.ts';
import { evaluate } from '../gate/statistics/evidence.ts';
import { addReading, stageStarted, startGate } from '../gate/statistics/gate.ts';
import { gatePresets } from '../gate/statistics/settings.ts';
import type { Judgement } from '../gate/verdict.ts';
import { confidenceOf, type ConfidenceQuestion, describeConfidence } from './confidence.ts';
import type { ConfidenceFacts, PastOutcome, ReleaseFacts } from './facts.ts';
import { blastRadiusFactor, criticalities } from './factors/blast-radius.ts';
import { complexityFactor } from './factors/complexity.ts';
import { coverageFactor } from './factors/coverage.ts';
import { factorNames } from './factors/factor.ts';
import { healthFactor } from './factors/health.ts';
import { historyFactor, posteriorOf } from './factors/history.ts';
import { safetyFactor } from './factors/safety.ts';

const change = {
  commit: 'a'.repeat(40),
  since: 'b'.repeat(40),
  basis: 'stable',
  files: 4,
  lines: 120,
  migrations: 0,
  dependencies: 0,
} as const;

const good: ReleaseFacts = {
  safety: { build: 'passed', tests: { total: 200, failed: 0, skipped: 0 }, security: { errors: 0, warnings: 0 } },
  change,
  coverage: { lines: 1000, covered: 870, changed: { lines: 80, covered: 76 } },
};

function question(facts: Partial<ConfidenceFacts>, more: Partial<ConfidenceQuestion> = {}): ConfidenceQuestion {
  return {
    point: 'beforeTraffic',
    policy: asking({ goOn: 80, ask: 60 }),
    facts: { release: good, past: Array.from({ length: 10 }, (): PastOutcome => 'held'), ...facts },
    exposure: { share: 100, atOnce: 0, instances: 4, warmBack: true },
    ...more,
  };
}

test('a small, tested change to a service that mostly held goes on by itself', () => {
  const { score, outcome, factors } = confidenceOf(question({}));
  assert.equal(outcome, 'advance');
  assert.ok(score > 90, String(score));
  // there is no traffic yet, so nothing can be said of its health, and the others have all of the weight
  assert.deepEqual(
    factors.map(({ name }) => name),
    factorNames.filter((name) => name !== 'health'),
  );
  assert.ok(Math.abs(factors.reduce((sum, { weight }) => sum + weight, 0) - 1) < 1e-9);
});

test('where nothing is told a person is asked, and is told what is missing', () => {
  const confidence = confidenceOf(question({ release: {}, past: [] }));
  assert.equal(confidence.outcome, 'ask');
  const words = describeConfidence(confidence);
  assert.match(words, /80 needed to go on; what costs most: safety checks 50 \(no result of build, tests/);
  assert.match(words, /complexity of the change 50 \(what changed is not known; counts as 50\)/);
});

test('failing tests, a history of failures and a large change send it back', () => {
  const facts: ConfidenceFacts = {
    release: {
      ...good,
      safety: { tests: { total: 100, failed: 30, skipped: 0 } },
      change: { ...change, files: 300, lines: 20_000, migrations: 4, dependencies: 3 },
    },
    past: Array.from({ length: 10 }, (): PastOutcome => 'failed'),
  };
  const { outcome, score } = confidenceOf(question(facts));
  assert.equal(outcome, 'go-back', String(score));
});

test('the score is the weighted mean of its factors, and what is shown is what decides', () => {
  fc.assert(
    fc.property(
      fc.record({
        weights: fc.tuple(...factorNames.map(() => fc.nat({ max: 100 }))),
        share: fc.integer({ min: 1, max: 10_000 }),
        criticality: fc.constantFrom(...criticalities),
        failed: fc.nat({ max: 50 }),
        past: fc.array(fc.constantFrom<PastOutcome>('held', 'failed'), { maxLength: 60 }),
        lines: fc.nat({ max: 1_000_000 }),
        covered: fc.nat({ max: 1000 }),
      }),
      ({ weights, share, criticality, failed, past, lines, covered }) => {
        const named = Object.fromEntries(factorNames.map((name, index) => [name, weights[index] ?? 0]));
        const policy = {
          ...asking({ goOn: 80, ask: 60 }),
          criticality,
          weights: { ...asking({ goOn: 80, ask: 60 }).weights, ...named, history: 1 + (named['history'] ?? 0) },
        };
        const release: ReleaseFacts = {
          safety: { tests: { total: 50, failed, skipped: 0 } },
          change: { ...change, lines },
          coverage: { lines: 1000, covered },
        };
        const { factors, score, outcome } = confidenceOf(
          question({ release, past }, { policy, exposure: { share, atOnce: 1, instances: 2, warmBack: false } }),
        );
        assert.ok(factors.every(({ value }) => value >= 0 && value <= 100));
        const mean = factors.reduce((sum, { weight, value }) => sum + weight * value, 0);
        assert.ok(Math.abs(score - mean) <= 0.05 + 1e-9);
        assert.equal(outcome, score >= 80 ? 'advance' : score >= 60 ? 'ask' : 'go-back');
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});

test('safety: the weakest check counts, and without tests there is a limit', () => {
  const tests = { total: 10, failed: 0, skipped: 0 };
  assert.equal(safetyFactor({ tests, build: 'passed' }).value, 100);
  assert.equal(safetyFactor({ tests, build: 'failed' }).value, 0);
  assert.ok(safetyFactor({ tests: { ...tests, failed: 1 }, build: 'passed' }).value <= 20);
  assert.ok(safetyFactor({ tests, security: { errors: 1, warnings: 0 } }).value <= 30);
  assert.equal(safetyFactor({ build: 'passed' }).value, 70);
  assert.equal(safetyFactor({ tests: { total: 0, failed: 0, skipped: 0 } }).value, 30);
  assert.equal(safetyFactor({ tests: { total: 5, failed: 0, skipped: 5 } }).value, 30);
  assert.equal(safetyFactor(undefined).value, 50);
});

test('history is a posterior: it starts cautiously, moves with the evidence, and forgets', () => {
  const of = (...past: readonly PastOutcome[]): number => historyFactor(past).value;
  assert.equal(of(), 80);
  assert.ok(of('held') > of() && of('held') < 100);
  assert.ok(of('failed') < 60);
  assert.ok(of('failed', 'held') < of('held', 'failed'), 'the newest counts most');
  const many = Array.from({ length: 50 }, (): PastOutcome => 'held');
  assert.ok(of(...many) > 95 && of(...many) < 100);
  const narrow = posteriorOf(many);
  const wide = posteriorOf(['held']);
  assert.ok(narrow.high - narrow.low < wide.high - wide.low);
});

test('blast radius: more traffic, more at once, more at stake and no way back at once each cost', () => {
  const small = { share: 100, atOnce: 0, instances: 4, criticality: 'medium', warmBack: true } as const;
  const value = (more: Partial<Parameters<typeof blastRadiusFactor>[0]>): number =>
    blastRadiusFactor({ ...small, ...more }).value;
  for (const worse of [{ share: 10_000 }, { atOnce: 4 }, { criticality: 'critical' }, { warmBack: false }] as const)
    assert.ok(value(worse) < value({}), JSON.stringify(worse));
  assert.equal(value({ share: 10_000, criticality: 'critical', warmBack: false }), 0);
});

test('complexity: doubling a change costs the same each time, a migration more', () => {
  const value = (more: object): number => complexityFactor({ ...change, ...more }).value;
  assert.ok(value({ lines: 10 }) > value({ lines: 1000 }));
  assert.ok(value({ migrations: 1 }) <= value({}) - 20);
  assert.ok(value({ dependencies: 1 }) < value({}));
  assert.equal(value({ lines: 1e9, files: 1e6, migrations: 10, dependencies: 10 }), 0);
  assert.equal(complexityFactor(undefined).value, 50);
});

test('coverage: the changed lines count most, and beyond 80 % there is nothing to gain', () => {
  assert.equal(coverageFactor({ lines: 100, covered: 80 }).value, 100);
  assert.equal(coverageFactor({ lines: 100, covered: 40 }).value, 50);
  assert.equal(coverageFactor({ lines: 100, covered: 90, changed: { lines: 10, covered: 0 } }).value, 25);
  assert.equal(coverageFactor({ lines: 100, covered: 90, changed: { lines: 0, covered: 0 } }).value, 100);
  assert.equal(coverageFactor({ lines: 0, covered: 0 }).value, 50);
});

test('health: without requests nothing is said; a failing gate is nothing; limits count more on more requests', () => {
  const judged = (outcome: Judgement['outcome'], requests: number): Judgement => ({
    outcome,
    verdicts: [{ check: 'error rate at most 5 %', outcome, reason: '0 % of requests failed', samples: requests }],
    candidate: { release: 'shop@new', requests, errors: 0, unanswered: 0 },
    lost: 0,
  });
  assert.equal(healthFactor(undefined), undefined);
  assert.equal(healthFactor(judged('inconclusive', 0)), undefined);
  assert.equal(healthFactor(judged('fail', 10))?.value, 0);
  assert.equal(healthFactor(judged('inconclusive', 500))?.value, 60);
  assert.equal(healthFactor({ ...judged('pass', 500), verdicts: [] })?.value, 50, 'without a gate nobody looked');
  const [few, many] = [healthFactor(judged('pass', 10))?.value ?? 0, healthFactor(judged('pass', 1000))?.value ?? 0];
  assert.ok(few > 60 && few < many && many < 100);
});

test('health follows the gate’s wealth and bets: up as the candidate proves itself, down as the evidence against it grows', () => {
  const gate = { ...gatePresets.default, warmUpMs: 0 };
  const latency = (count: number): number[] => latencyBounds.concat(0).map((_, bucket) => (bucket === 30 ? count : 0));
  const after = (seconds: number, failed: number): number => {
    const state = startGate(gate, { candidate: 'shop@new', stable: 'shop@old', at: 0 });
    stageStarted(gate, state, { at: 0, share: 1000 });
    for (let second = 1; second <= seconds; second += 1) {
      const errors = second <= failed ? 1 : 0;
      addReading(gate, state, second * 1000, {
        candidate: { requests: 10, errors, latency: latency(10 - errors) },
        stable: { requests: 90, errors: 0, latency: latency(90) },
      });
    }
    const verdict = evaluate(gate, state, seconds * 1000);
    const { evidence } = verdict;
    const { requests, errors } = evidence.candidate;
    const judgement: Judgement = {
      outcome: verdict.outcome,
      verdicts: [],
      candidate: { release: 'shop@new', requests, errors, unanswered: 0 },
      lost: 0,
      statistics: { words: [], evidence },
    };
    return healthFactor(judgement)?.value ?? Number.NaN;
  };
  const [few, some, many] = [after(1, 0), after(8, 0), after(60, 0)];
  assert.ok(few >= 60 && few < some && some < many, `${few} ${some} ${many}`);
  assert.equal(many, 100);
  assert.ok(after(8, 1) < some, `${after(8, 1)} ${some}`);
  assert.equal(after(8, 8), 0);
});
