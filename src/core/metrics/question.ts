// One question to a metric source, and everything that can come of it: a number, or a named reason why there is none.

/** What a question is about; it takes the place of `{{release}}`, `{{service}}`, `{{environment}}` and `{{window}}`. */
export interface QuestionValues {
  readonly release: string;
  readonly service: string;
  readonly environment: string;
  /** Whole seconds, at least 1. */
  readonly windowSeconds: number;
}

export interface MetricQuestion {
  /** In the source's own language, with placeholders: PromQL, a JSON path, a text for a program. */
  readonly query: string;
  /** What tells when the number was measured: a selector of PromQL, a JSON path. Undefined: the query is about now by itself. */
  readonly measuredAt?: string | undefined;
  readonly values: QuestionValues;
}

/** Why there is no number. */
export const noNumberReasons = [
  /** Nobody answers at the address, or the program cannot be started. */
  'unreachable',
  'timed-out',
  /** The source does not take the question: a wrong query, path or credential. */
  'refused',
  /** The source had a failure of its own. */
  'failed',
  /** The answer is not in the form that the source should give. */
  'unreadable',
  'too-large',
  /** The source itself says that its answer may lack something. */
  'incomplete',
  'empty',
  /** NaN or an infinity. */
  'not-finite',
  /** Text, a range, a histogram. */
  'not-a-number',
  'several',
  'stale',
  /** A file or variable that the source needs cannot be read. */
  'misconfigured',
] as const;

export type NoNumberReason = (typeof noNumberReasons)[number];

export interface NoNumber {
  readonly kind: 'none';
  readonly reason: NoNumberReason;
  /** What was seen, as the end of a sentence, without secrets, at most 500 characters. */
  readonly words: string;
}

export type MetricOutcome = { readonly kind: 'number'; readonly value: number } | NoNumber;

export function noNumber(reason: NoNumberReason, words: string): NoNumber {
  return { kind: 'none', reason, words };
}

/** What a source says that knows numbers alone. */
export const countsNothing: NoNumber = noNumber('refused', 'only a Prometheus says what each instance counted');

/** A number, unless it is NaN or an infinity. */
export function numberOutcome(value: number): MetricOutcome {
  return Number.isFinite(value) ? { kind: 'number', value } : noNumber('not-finite', `the answer is ${value}`);
}

/** Reasons that speak of a release without data rather than of a source that does not work. */
export function isNoData(outcome: MetricOutcome): boolean {
  return outcome.kind === 'none' && (outcome.reason === 'empty' || outcome.reason === 'not-finite');
}

/** Reasons that will not pass while the release runs: the question or the source is wrong, not the moment. */
export function isUnusable(outcome: MetricOutcome): boolean {
  if (outcome.kind === 'number' || isNoData(outcome)) return false;
  return outcome.reason !== 'stale' && outcome.reason !== 'incomplete';
}
