// Where a metric source counts the requests of a release, and the one query to a Prometheus that reads all of it at one moment.

import type { ReleaseId } from '../release.ts';
import type { Scope } from '../scope.ts';
import type { CounterReading } from './counter-reading.ts';
import { fillPromql } from './promql.ts';
import type { NoNumber } from './question.ts';

/** Selectors of PromQL with placeholders, for the release that is asked about. */
export interface CounterSelection {
  /** A counter of requests, and one of those among them that failed. */
  readonly requests: string;
  readonly errors: string;
  /** Buckets of a classic histogram of how long they took; undefined: latencies are not compared. */
  readonly buckets?: string | undefined;
  /** Milliseconds for 1 of the buckets' bounds. */
  readonly unitMs: number;
  /** The label that tells instances apart. */
  readonly instance: string;
}

export interface CounterQuestion {
  readonly selection: CounterSelection;
  readonly scope: Scope;
  readonly candidate?: ReleaseId | undefined;
  readonly stable?: ReleaseId | undefined;
}

/** The past of the counters: one reading each `stepMs` from `fromMs` ago until now. */
export interface CounterPast {
  readonly fromMs: number;
  readonly stepMs: number;
}

/** Readings in the order of their time: one, of now, unless the past was asked for. */
export type CounterOutcome = { readonly kind: 'counted'; readonly readings: readonly CounterReading[] } | NoNumber;

/** Labels by which the series of the answer are told apart. */
export const counterLabels = { role: 'sluice_role', part: 'sluice_part' } as const;
export const counterParts = ['requests', 'errors', 'buckets', 'measured'] as const;
export const counterRoles = ['candidate', 'stable'] as const;

/** One query for everything, because counts of different moments do not fit together. */
export function counterQuery(question: CounterQuestion): string {
  return counterRoles
    .flatMap((role) => {
      const release = question[role];
      return release === undefined ? [] : partsOf(question, release).map(([part, sum]) => marked(sum, { role, part }));
    })
    .join(' or ');
}

function partsOf(
  { selection, scope }: CounterQuestion,
  release: ReleaseId,
): readonly (readonly [(typeof counterParts)[number], string])[] {
  const { requests, errors, buckets, instance } = selection;
  const filled = (text: string): string => fillPromql(text, { ...scope, release, windowSeconds: 1 });
  return [
    ['requests', `sum by (${instance}) (${filled(requests)})`],
    ['errors', `sum by (${instance}) (${filled(errors)})`],
    ...(buckets === undefined ? [] : [['buckets', `sum by (${instance}, le) (${filled(buckets)})`] as const]),
    ['measured', `max by (${instance}) (timestamp(${filled(requests)}))`],
  ];
}

/** Every series gets a label, whatever its other labels are. */
function marked(vector: string, marks: Readonly<Record<keyof typeof counterLabels, string>>): string {
  return Object.entries(counterLabels).reduce(
    (inner, [mark, label]) =>
      `label_replace(${inner}, "${label}", "${marks[mark as keyof typeof marks]}", "${label}", ".*")`,
    vector,
  );
}
