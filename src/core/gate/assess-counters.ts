// Whether what a metric source counts can be judged at all: while it cannot, nothing passes, whatever was counted before.

import type { CountedInstances, CounterReading } from '../metrics/counter-reading.ts';
import { type NoNumber, type NoNumberReason, noNumber } from '../metrics/question.ts';
import type { CounterFeed } from './check.ts';
import { longestQuestionMs } from './assess-query.ts';
import { sameBounds } from './counter-blocks.ts';
import type { Verdict } from './verdict.ts';

/** What a source came to when it was read last; both undefined: it was not read yet. */
export interface CounterSeen {
  /** The newest reading that worked, with what is remembered of instances that are missing from it. */
  readonly counted?: CounterReading | undefined;
  /** Why the newest one did not work. */
  readonly none?: NoNumber | undefined;
}

export interface CounterQuestionOf {
  readonly feed: CounterFeed;
  /** Counts of longer ago than this say nothing about now, ms. */
  readonly staleMs: number;
  /** Stable gets no traffic, and may be gone. */
  readonly alone: boolean;
  /** Instances of the candidate that are to run. */
  readonly instances: number;
  /** When the stage began, epoch milliseconds, and the buckets that the gate compares; undefined: it has not begun. */
  readonly stageAt?: number | undefined;
  readonly compared?: readonly number[] | undefined;
}

/** Binding, as answers of metric sources are. */
export function assessCounters({ counted, none }: CounterSeen, question: CounterQuestionOf, now: number): Verdict {
  const { feed, alone } = question;
  const check = `the requests of both releases are counted by ${feed.source}`;
  const open = ({ reason, words }: NoNumber): Verdict =>
    verdictOf(check, `${reason}: ${words} (${feed.source})`, reason);
  if (none !== undefined) return open(none);
  if (counted === undefined) return verdictOf(check, 'the counters have not been read yet');
  if (now - counted.at > 2 * feed.intervalMs + longestQuestionMs)
    return verdictOf(check, `the counters were last read ${seconds(now - counted.at)} s ago`);
  const problem =
    missing('the candidate', counted.candidate, question, now) ??
    unseen(counted.candidate, question, now) ??
    (alone ? undefined : missing('stable', counted.stable, question, now)) ??
    (alone || feed.selection.buckets === undefined ? undefined : differentBuckets(counted, question));
  if (problem !== undefined) return open(problem);
  const [candidates, stables] = [counted.candidate, counted.stable].map((each) => freshIn(each, question, now));
  return {
    check,
    outcome: 'pass',
    reason: `${feed.source} counts the requests of ${instances(candidates)} of the candidate and ${instances(stables)} of stable`,
    samples: candidates ?? 0,
    binding: true,
  };
}

function verdictOf(check: string, reason: string, cause?: NoNumberReason): Verdict {
  return {
    check,
    outcome: 'inconclusive',
    reason,
    samples: 0,
    binding: true,
    ...(cause === undefined ? {} : { cause }),
  };
}

function missing(
  who: string,
  counted: CountedInstances,
  { staleMs }: CounterQuestionOf,
  now: number,
): NoNumber | undefined {
  const times = Object.values(counted).map(({ at }) => at);
  if (times.length === 0) return noNumber('empty', `there are no counters of ${who}`);
  const ageMs = now - Math.max(...times);
  return ageMs > staleMs ? noNumber('stale', `${who} was last counted ${seconds(ageMs)} s ago`) : undefined;
}

/** One that is too busy to be scraped is the one that fails most: what the others count says nothing about it. */
function unseen(counted: CountedInstances, question: CounterQuestionOf, now: number): NoNumber | undefined {
  const expected = Math.min(question.instances, Object.keys(counted).length);
  const fresh = freshIn(counted, question, now);
  if (fresh < expected)
    return noNumber('incomplete', `only ${fresh} of ${instances(expected)} of the candidate can be read`);
  const newest = Math.max(...Object.values(counted).map(({ at }) => at));
  return newest < (question.stageAt ?? 0)
    ? noNumber('stale', 'the candidate has not been counted since the stage began')
    : undefined;
}

function freshIn(counted: CountedInstances, { staleMs }: CounterQuestionOf, now: number): number {
  return Object.values(counted).filter(({ at }) => now - at <= staleMs).length;
}

function differentBuckets(
  { bounds: { candidate, stable } }: CounterReading,
  { compared = stable }: CounterQuestionOf,
): NoNumber | undefined {
  if (candidate.length === 0 || stable.length === 0) {
    const who = candidate.length === 0 ? 'the candidate' : 'stable';
    return noNumber('incomplete', `${who} has no histogram whose buckets are the same in all its instances`);
  }
  if (!sameBounds(compared, stable))
    return noNumber('incomplete', 'stable has other buckets than when the deployment began');
  if (sameBounds(candidate, stable)) return undefined;
  const words = `the histogram of the candidate has other buckets than stable’s (${some(candidate)} against ${some(stable)} ms), so latencies cannot be compared`;
  return noNumber('incomplete', words);
}

/** Only a few: there may be hundreds. */
function some(bounds: readonly number[]): string {
  const shown = bounds.slice(0, 8).map((bound) => Number(bound.toPrecision(6)));
  return `${shown.join(', ')}${bounds.length > shown.length ? ', …' : ''}`;
}

const instances = (count = 0): string => `${count} ${count === 1 ? 'instance' : 'instances'}`;

const seconds = (ms: number): number => Math.round(ms / 1000);
