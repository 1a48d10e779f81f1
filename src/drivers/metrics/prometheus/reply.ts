// Reads the answer of a Prometheus to an instant query.

import * as z from 'zod';
import { type MetricOutcome, type NoNumber, noNumber, numberOutcome } from '../../../core/metrics/question.ts';
import { jsonOf, statusProblem, type WebAnswer } from '../../../core/metrics/web.ts';
import { seenText } from '../../../core/validation/reason.ts';

export interface Reply {
  readonly outcome: MetricOutcome;
  /** Epoch milliseconds for which the server computed it. */
  readonly evaluatedAt?: number | undefined;
}

const point = z.tuple([z.number(), z.string().max(64)]);
const labels = z.record(z.string(), z.string());
const element = z.object({ metric: labels, value: point.optional(), histogram: z.unknown().optional() });

const range = z.object({ metric: labels, values: z.array(point).optional() });

const shape = z.object({
  status: z.enum(['success', 'error']),
  errorType: z.string().optional(),
  error: z.string().optional(),
  warnings: z.array(z.string()).optional(),
  data: z
    .discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('vector'), result: z.array(element) }),
      z.object({ resultType: z.literal('scalar'), result: point }),
      z.object({ resultType: z.literal('string'), result: z.unknown() }),
      z.object({ resultType: z.literal('matrix'), result: z.array(range) }),
    ])
    .optional(),
});

type Parsed = z.output<typeof shape>;
export type Data = Exclude<Parsed['data'], undefined>;

export function readReply(answer: WebAnswer): Reply {
  const data = readData(answer);
  return 'outcome' in data ? data : numberIn(data, answer.secrets);
}

/** What the server answers with, or why that is nothing to go by. */
export function readData(answer: WebAnswer): Data | { readonly outcome: NoNumber } {
  const json = jsonOf(answer);
  const parsed = 'value' in json ? shape.safeParse(json.value) : undefined;
  const error = parsed?.data?.status === 'error' ? parsed.data : undefined;
  const bad = statusProblem(answer, error === undefined ? undefined : errorText(error));
  if (bad !== undefined) {
    // Status 503 with this type is the server's own time limit, not its death.
    return { outcome: error?.errorType === 'timeout' ? { ...bad, reason: 'timed-out' } : bad };
  }
  if (!('value' in json)) return { outcome: json };
  if (parsed?.success !== true || parsed.data.data === undefined) return { outcome: unreadable(answer) };
  const warning = parsed.data.warnings?.find((text) => !isRemark(text));
  if (warning !== undefined)
    return { outcome: noNumber('incomplete', `the server warns: ${seenText(warning, answer.secrets, 300)}`) };
  return parsed.data.data;
}

export function unreadable({ body, secrets }: WebAnswer): NoNumber {
  return noNumber('unreadable', `expected the answer of a Prometheus, got ${seenText(body, secrets)}`);
}

/** Some versions put advice on the query among the warnings. */
function isRemark(warning: string): boolean {
  return warning.startsWith('PromQL info:');
}

function errorText({ errorType = 'error', error = '' }: Parsed): string {
  return `${errorType}: ${error}`;
}

function numberIn(data: Data, secrets: readonly string[]): Reply {
  switch (data.resultType) {
    case 'scalar':
      return valueOf(data.result, secrets);
    case 'string':
      return { outcome: noNumber('not-a-number', 'the query gives text') };
    case 'matrix':
      return { outcome: noNumber('not-a-number', 'the query gives ranges; leave [ ] out or put rate() around it') };
    case 'vector': {
      const [first, ...others] = data.result;
      if (first === undefined) return { outcome: noNumber('empty', 'the query finds no series') };
      if (others.length > 0)
        return {
          outcome: noNumber('several', `the query gives ${others.length + 1} series; put sum() or max() around it`),
        };
      if (first.value !== undefined) return valueOf(first.value, secrets);
      return { outcome: noNumber('not-a-number', 'the query gives a histogram; put histogram_quantile() around it') };
    }
  }
}

function valueOf([at, text]: z.output<typeof point>, secrets: readonly string[]): Reply {
  const evaluatedAt = at * 1000;
  const infinite = /^([+-]?)Inf$/.exec(text);
  if (infinite !== null) return { outcome: numberOutcome(infinite[1] === '-' ? -Infinity : Infinity), evaluatedAt };
  const value = Number(text);
  if (text.trim() === '' || (Number.isNaN(value) && text !== 'NaN'))
    return { outcome: noNumber('unreadable', `expected a number, got ${seenText(text, secrets)}`), evaluatedAt };
  return { outcome: numberOutcome(value), evaluatedAt };
}
