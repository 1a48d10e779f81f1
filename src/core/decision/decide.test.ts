import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fewErrors } from '../../../test/engine/specs.ts';
import type { Judgement, Outcome } from '../gate/verdict.ts';
import type { HoldStep } from '../plan/step.ts';
import { decide, reasonOf, type HoldFacts } from './decide.ts';

const stage: HoldStep = {
  kind: 'hold',
  name: 'stage 1',
  atLeastMs: 1_000,
  requests: 10,
  maxMs: 10_000,
  checks: [fewErrors],
  noData: 'hold',
  promotion: 'automatic',
};
const observing: HoldStep = { ...stage, name: 'behind the switch', noData: 'pass' };
const manual: HoldStep = { ...stage, promotion: 'manual' };

const steps = { stage, observing, manual, unchecked: { ...stage, checks: [] } } as const;

function judgement(outcome: Outcome): Judgement {
  return {
    outcome,
    verdicts: [{ check: 'c', outcome, reason: `error rate says ${outcome}`, samples: 1 }],
    candidate: { release: 'shop@new', requests: 1, errors: 0, unanswered: 0 },
    lost: 0,
  };
}

/** Step, outcome, `reached` (minimums), `overdue` → decision. `*`: either. */
const table = `
  stage     none          *        early    → hold
  stage     none          *        overdue  → pause
  stage     inconclusive  *        early    → hold
  stage     inconclusive  *        overdue  → pause
  stage     pass          missing  early    → hold
  stage     pass          missing  overdue  → pause
  stage     pass          reached  early    → advance
  stage     pass          reached  overdue  → advance
  stage     fail          *        *        → go-back
  manual    pass          reached  *        → ask
  manual    pass          missing  early    → hold
  manual    fail          *        *        → go-back
  observing none          *        early    → hold
  observing pass          reached  early    → hold
  observing pass          *        overdue  → advance
  observing none          *        overdue  → advance
  observing inconclusive  *        overdue  → advance
  observing fail          *        *        → go-back
  unchecked none          reached  early    → advance
  unchecked none          missing  early    → hold
  unchecked none          missing  overdue  → pause
`;

function choices<T>(word: string | undefined, yes: string, value: readonly [T, T]): readonly T[] {
  return word === '*' ? value : [word === yes ? value[0] : value[1]];
}

for (const line of table.trim().split('\n')) {
  const [name = '', outcome = '', minimums, time, , decision] = line.trim().split(/\s+/);
  test(`a hold decides: ${line.trim().replaceAll(/\s+/g, ' ')}`, () => {
    const step = steps[name as keyof typeof steps];
    for (const minimumsReached of choices(minimums, 'reached', [true, false])) {
      for (const overdue of choices(time, 'overdue', [true, false])) {
        const judged = outcome === 'none' ? undefined : judgement(outcome as Outcome);
        const facts: HoldFacts = { judgement: judged, minimumsReached, overdue };
        const decided = decide(step, facts);
        assert.equal(decided.kind, decision, JSON.stringify(facts));
        assert.ok(decided.reason.length > 0);
      }
    }
  });
}

test('a decision says why, in the words of the verdicts that led to it', () => {
  assert.equal(
    decide(stage, { judgement: judgement('fail'), minimumsReached: false, overdue: false }).reason,
    'error rate says fail',
  );
  assert.equal(
    decide(stage, { judgement: judgement('pass'), minimumsReached: true, overdue: false }).reason,
    'stage 1: error rate says pass',
  );
  assert.equal(
    decide(manual, { judgement: judgement('pass'), minimumsReached: true, overdue: false }).reason,
    'stage 1: ready; waits for `sluice promote`',
  );
  assert.equal(
    decide(stage, { judgement: judgement('inconclusive'), minimumsReached: true, overdue: true }).reason,
    'stage 1: no conclusion in the longest time allowed: error rate says inconclusive',
  );
});

test('several reasons are told together, and an absence of any is told as such', () => {
  const both: Judgement = {
    ...judgement('fail'),
    verdicts: [...judgement('fail').verdicts, ...judgement('pass').verdicts, ...judgement('fail').verdicts],
  };
  assert.equal(reasonOf(both, 'fail'), 'error rate says fail; error rate says fail');
  assert.equal(reasonOf(undefined, 'pass'), 'nothing speaks against going on');
  assert.equal(reasonOf(undefined, 'inconclusive'), 'no requests of the release on trial were seen');
});
