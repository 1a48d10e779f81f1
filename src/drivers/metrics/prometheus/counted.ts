// Reads the answer of a Prometheus to the query for counters: what each instance of both releases had counted, at one time or at several.

import type { CountedInstances, CounterReading, CumulativeCounts } from '../../../core/metrics/counter-reading.ts';
import {
  counterLabels,
  type CounterOutcome,
  counterParts,
  counterRoles,
  type CounterSelection,
} from '../../../core/metrics/counters.ts';
import { noNumber, type NoNumber } from '../../../core/metrics/question.ts';
import type { WebAnswer } from '../../../core/metrics/web.ts';
import { seenText } from '../../../core/validation/reason.ts';
import { type Data, readData, unreadable } from './reply.ts';

/** What one instance counted at one time, as far as it was read. */
interface Partial {
  requests?: number;
  errors?: number;
  measured?: number;
  /** By upper bound as the server writes it. */
  readonly buckets: Map<string, number>;
}

type Role = (typeof counterRoles)[number];
/** Seconds of the server → role → instance. */
type Moments = Map<number, Readonly<Record<Role, Map<string, Partial>>>>;

/** Times are the server's. */
export function readCounted(answer: WebAnswer, selection: CounterSelection): CounterOutcome {
  const data = readData(answer);
  if ('outcome' in data) return data.outcome;
  const moments: Moments = new Map();
  for (const { metric, values } of seriesOf(data)) {
    const role = counterRoles.find((each) => each === metric[counterLabels.role]);
    const part = counterParts.find((each) => each === metric[counterLabels.part]);
    if (role === undefined || part === undefined) return unreadable(answer);
    for (const [at, text] of values) {
      const value = Number(text);
      if (!Number.isFinite(value) || value < 0 || text.trim() === '') return notACount(text, answer);
      note(moments, at, { role, instance: metric[selection.instance] ?? '', part, bound: metric['le'] ?? '', value });
    }
  }
  return {
    kind: 'counted',
    readings: [...moments]
      .toSorted(([a], [b]) => a - b)
      .map(([at, instances]) => readingOf(at * 1000, instances, selection.unitMs)),
  };
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

function seriesOf(data: Data): readonly Series[] {
  if (data.resultType === 'vector')
    return data.result.map(({ metric, value }) => ({ metric, values: value === undefined ? [] : [value] }));
  if (data.resultType === 'matrix') return data.result.map(({ metric, values = [] }) => ({ metric, values }));
  return [];
}

function notACount(text: string, { secrets }: WebAnswer): NoNumber {
  const what = `expected a count, got ${seenText(text, secrets)}`;
  return /^(?:NaN|[+-]?Inf)$/.test(text) ? noNumber('not-finite', what) : noNumber('unreadable', what);
}

interface Noted {
  readonly role: Role;
  readonly instance: string;
  readonly part: (typeof counterParts)[number];
  readonly bound: string;
  readonly value: number;
}

function note(moments: Moments, at: number, { role, instance, part, bound, value }: Noted): void {
  const instances = moments.get(at) ?? { candidate: new Map<string, Partial>(), stable: new Map<string, Partial>() };
  moments.set(at, instances);
  const partial = instances[role].get(instance) ?? { buckets: new Map<string, number>() };
  instances[role].set(instance, partial);
  if (part === 'buckets') partial.buckets.set(bound, value);
  else partial[part] = value;
}

function readingOf(
  at: number,
  instances: Readonly<Record<Role, ReadonlyMap<string, Partial>>>,
  unitMs: number,
): CounterReading {
  const candidate = releaseOf(instances.candidate, at, unitMs);
  const stable = releaseOf(instances.stable, at, unitMs);
  return {
    at,
    candidate: candidate.instances,
    stable: stable.instances,
    bounds: { candidate: candidate.bounds, stable: stable.bounds },
  };
}

/** Instances whose buckets are not all the same have no latencies that could be added up. */
function releaseOf(
  partials: ReadonlyMap<string, Partial>,
  at: number,
  unitMs: number,
): { readonly instances: CountedInstances; readonly bounds: readonly number[] } {
  const texts = [...new Set([...partials.values()].flatMap(({ buckets }) => [...buckets.keys()]))]
    .filter((text) => !Number.isNaN(numberOf(text)))
    .toSorted((a, b) => numberOf(a) - numberOf(b));
  const complete = texts.at(-1) === '+Inf' && [...partials.values()].every(({ buckets }) => isWhole(buckets, texts));
  const instances = [...partials].map(([name, partial]): [string, CumulativeCounts] => [
    name,
    {
      requests: partial.requests ?? 0,
      errors: partial.errors ?? 0,
      upTo: complete ? texts.map((text) => partial.buckets.get(text) ?? 0) : [],
      at: partial.measured === undefined ? at : partial.measured * 1000,
    },
  ]);
  return {
    instances: Object.fromEntries(instances),
    bounds: complete ? texts.slice(0, -1).map((text) => numberOf(text) * unitMs) : [],
  };
}

function isWhole(buckets: ReadonlyMap<string, number>, texts: readonly string[]): boolean {
  return texts.every((text) => buckets.has(text));
}

function numberOf(bound: string): number {
  return bound === '+Inf' ? Infinity : Number(bound);
}
