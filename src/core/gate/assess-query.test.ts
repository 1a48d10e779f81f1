import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MetricOutcome, noNumber, noNumberReasons } from '../metrics/question.ts';
import { assessQuery, type QueryReading } from './assess-query.ts';
import { judge } from './assess.ts';
import type { QueryCheck } from './check.ts';
import { createWindow } from './window.ts';

const now = 1_000_000;

const check: QueryCheck = {
  kind: 'query',
  name: 'queue depth',
  source: 'main',
  query: 'depth',
  minSamples: 0,
  max: 10,
  points: 2,
  noData: 'hold',
  weight: 1,
  intervalMs: 10_000,
  windowMs: 60_000,
};

function number(value: number): MetricOutcome {
  return { kind: 'number', value };
}

function reading(value: number | MetricOutcome, more: Partial<QueryReading> = {}): QueryReading {
  return { at: now, value: typeof value === 'number' ? number(value) : value, ...more };
}

function assessed(changes: Partial<QueryCheck>, ...readings: readonly QueryReading[]): string {
  const { outcome, reason } = assessQuery({ ...check, ...changes }, readings, now);
  return `${outcome}: ${reason}`;
}

test('so many answers in a row must agree before a question passes or fails', () => {
  assert.equal(assessed({}), 'inconclusive: queue depth has not been asked yet');
  assert.equal(
    assessed({}, reading(3)),
    'inconclusive: queue depth is 3, allowed is at most 10, 1 of 2 answers in a row',
  );
  assert.equal(
    assessed({}, reading(3), reading(10)),
    'pass: queue depth is 10, allowed is at most 10, 2 of 2 answers in a row',
  );
  assert.equal(
    assessed({}, reading(11), reading(12)),
    'fail: queue depth is 12, allowed is at most 10, 2 of 2 answers in a row',
  );
  assert.equal(
    assessed({}, reading(3), reading(12)),
    'inconclusive: queue depth is 12, allowed is at most 10, 1 of 2 answers in a row',
  );
  assert.equal(assessed({}, reading(12), reading(12), reading(3)).split(':', 1)[0], 'inconclusive');
  assert.equal(assessed({ points: 1 }, reading(12)), 'fail: queue depth is 12, allowed is at most 10');
});

test('no answer but a number ever makes a release good or bad', () => {
  for (const reason of noNumberReasons) {
    const none = reading(noNumber(reason, 'as the test wants it'));
    assert.equal(
      assessed({}, reading(3), none),
      `inconclusive: queue depth has no number: ${reason}: as the test wants it (main)`,
    );
    assert.match(assessed({}, none, none), /^inconclusive/);
    assert.match(
      assessed({ worseThanStable: 0.1 }, reading(3, { stable: none.value }), reading(3, { stable: none.value })),
      /^inconclusive/,
    );
    assert.match(
      assessed(
        { samples: 'n', minSamples: 5 },
        reading(3, { samples: none.value }),
        reading(3, { samples: none.value }),
      ),
      /^inconclusive/,
    );
  }
});

test('where no data means that the release is bad, only a source that works can say so', () => {
  for (const reason of noNumberReasons) {
    const none = reading(noNumber(reason, 'so'));
    const expected = reason === 'empty' || reason === 'not-finite' ? 'fail' : 'inconclusive';
    assert.equal(assessed({ noData: 'fail' }, none, none).split(':', 1)[0], expected, reason);
  }
});

test('limits, the only good answer, and the answer for stable', () => {
  const one = (changes: Partial<QueryCheck>, value: number, stable?: number): string =>
    assessed({ points: 1, ...changes }, reading(value, stable === undefined ? {} : { stable: number(stable) })).split(
      ':',
      1,
    )[0] ?? '';
  assert.equal(one({ max: undefined, min: 5 }, 5), 'pass');
  assert.equal(one({ max: undefined, min: 5 }, 4.999), 'fail');
  assert.equal(one({ max: 1, min: 1 }, 1), 'pass');
  assert.equal(one({ max: 1, min: 1 }, 2), 'fail');
  assert.equal(one({ max: 1, min: 1 }, 0), 'fail');
  assert.equal(one({ max: undefined, worseThanStable: 0.2 }, 12, 10), 'pass');
  assert.equal(one({ max: undefined, worseThanStable: 0.2 }, 12.1, 10), 'fail');
  assert.equal(one({ max: undefined, worseThanStable: 0.2 }, -9, -10), 'pass');
  assert.equal(one({ max: undefined, worseThanStable: 0.2 }, -7, -10), 'fail');
  assert.equal(one({ max: 11, worseThanStable: 0.2 }, 12, 10), 'fail', 'both limits hold');
  assert.equal(one({ worseThanStable: 0.2 }, 1), 'inconclusive', 'stable was not asked');
});

test('a number that stands on too few samples proves nothing', () => {
  const few = reading(99, { samples: number(4) });
  assert.equal(
    assessed({ samples: 'n', minSamples: 5 }, few, few),
    'inconclusive: queue depth stands on 4 of at least 5 samples',
  );
  const enough = reading(99, { samples: number(5) });
  assert.match(assessed({ samples: 'n', minSamples: 5 }, enough, enough), /^fail/);
});

test('an old answer proves nothing, because a controller that slept would promote on it', () => {
  const old = reading(3, { at: now - 90_000 });
  assert.equal(assessed({}, old, old), 'inconclusive: queue depth was last asked 90 s ago');
});

test('weights of failures add up, and a weight of 0 never decides', () => {
  const outcome = (...weights: readonly number[]): string => {
    const checks = weights.map((weight, index) => ({ ...check, name: `q${index}`, points: 1, weight }));
    const readings = new Map(checks.map(({ name }) => [name, [reading(99)]]));
    return judge(checks, { window: createWindow('shop@new', undefined, 0), readings }, now).outcome;
  };
  assert.equal(outcome(1), 'fail');
  assert.equal(outcome(0.5), 'inconclusive');
  assert.equal(outcome(0.7, 0.3), 'fail');
  assert.equal(outcome(0.1, 0.2, 0.7), 'fail');
  assert.equal(outcome(0), 'pass');
  assert.equal(outcome(0, 0.9), 'inconclusive');
});
