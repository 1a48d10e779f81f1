// The short form of `npm run bench:gates`: a few seeded trials of everything, and the goals that do not depend on this machine's speed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assessGoals } from './gates/goals.ts';
import { cellOf, runJob, type Job } from './gates/jobs.ts';
import { planJobs, shortRuns } from './gates/plan.ts';
import { report } from './gates/report.ts';
import { collect } from './gates/results.ts';

/** Cells that need more requests than a test has time for. */
const isHeavy = (job: Job): boolean => job.kind === 'cell' && cellOf(job.group, job.index).scenario.rate >= 1000;

/** So few trials say nothing of means (G4) or of medians with a wide spread (G5, G7), and G8 measures the machine. */
const judged = /^G[1236] /;

test('the short benchmark reaches the goals and prints every table', () => {
  const jobs = planJobs(shortRuns, 1).filter((job) => !isHeavy(job));
  const results = collect(jobs, jobs.map(runJob));
  const goals = assessGoals(results);
  for (const name of ['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7', 'G8']) {
    assert.ok(
      goals.some((goal) => goal.name.startsWith(name)),
      name,
    );
  }
  const missed = goals
    .filter(({ met, name }) => !met && judged.test(name))
    .map(({ name, figure }) => `${name}: ${figure}`);
  assert.deepEqual(missed, []);
  assert.ok(results.cost.stateBytes <= 4096);
  const text = report(results, goals);
  assert.match(text, /\| 5 % errors +\| \d/);
  assert.doesNotMatch(text, /NaN|undefined/);
});
