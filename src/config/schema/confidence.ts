// `confidence`: how sure one has to be of a release before it goes on, and where what is known of it is read.

import * as z from 'zod';
import { confidencePoints } from '../../core/decision/confidence.ts';
import { criticalities } from '../../core/decision/factors/blast-radius.ts';
import { words } from '../words.ts';
import { settings } from './settings.ts';
import { text, whole } from './values.ts';

const mostReports = 100;

function report(example: string) {
  const list = z
    .array(text(example))
    .min(1, { error: words('names no file', `Write a path, such as ${example}, or remove it.`) })
    .max(mostReports, { error: words('is too long', `Write at most ${mostReports} files.`) });
  return z.union([text(example).transform((path): string[] => [path]), list]).optional();
}

const weight = (share: number) => whole(0, 100).prefault(share);

const weights = settings({
  safety: weight(25).describe('Results of build, tests, lint and security scan.'),
  health: weight(25).describe('Evidence of the gates; counts only once the new release has had traffic.'),
  blastRadius: weight(15).describe('Traffic and instances that the next step puts at stake, by `criticality`.'),
  history: weight(15).describe('How earlier deployments of the service turned out.'),
  complexity: weight(10).describe('Size and kind of the change, by git.'),
  coverage: weight(10).describe('Code that tests run, above all the changed lines.'),
}).meta({ id: 'ConfidenceWeights' });

const reports = settings({
  tests: report('reports/junit.xml').describe('JUnit XML: a file or a list of files.'),
  lint: report('reports/lint.sarif').describe('SARIF of a linter: a file or a list of files.'),
  security: report('reports/scan.sarif').describe('SARIF of a security scan: a file or a list of files.'),
  coverage: report('coverage/lcov.info').describe('LCOV or Cobertura XML: a file or a list of files.'),
  summary: text('reports/summary.json')
    .optional()
    .describe('JSON with any of `build`, `tests`, `lint`, `security`, `coverage`, for results in other forms.'),
}).meta({ id: 'ConfidenceReports' });

export const confidenceSchema = settings({
  at: z
    .array(z.enum(confidencePoints, { error: words('is no point', `Write ${confidencePoints.join(' or ')}.`) }), {
      error: words('is not a list', `Write a list of ${confidencePoints.join(' and ')}.`),
    })
    .min(1, { error: words('is empty', `Write ${confidencePoints.join(' or ')}, or \`confidence: off\`.`) })
    .max(confidencePoints.length, { error: words('is too long', 'Write each point once.') })
    .prefault([...confidencePoints])
    .describe('Where the score is asked for: before the first traffic, before all of it.'),
  criticality: z
    .enum(criticalities, { error: words('is no criticality', `Write ${criticalities.join(', ')}.`) })
    .prefault('medium')
    .describe('How bad it is when the service fails: `low`, `medium`, `high` or `critical`.'),
  goOn: whole(0, 100).prefault(80).describe('From this score on it goes on by itself.'),
  ask: whole(0, 100).prefault(60).describe('From this score on a person is asked; below it goes back.'),
  weights: weights
    .prefault({})
    .describe('How much each factor counts; only proportions matter, and 0 leaves a factor out.'),
  reports: reports
    .prefault({})
    .describe(
      'Files that `deploy` reads, relative to this one. A file that is named has to be there. What no file tells counts as 50 of 100.',
    ),
  base: text('origin/main', 256)
    .optional()
    .describe(
      'Commit, tag or branch that the change is measured from. Default: what stable was deployed from, or else the commit before.',
    ),
}).meta({ id: 'Confidence' });

export type ConfidenceSettings = z.output<typeof confidenceSchema>;
