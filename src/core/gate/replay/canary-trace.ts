// Reads `canary-trace/1`: JSON lines, a header with stable's history and the settings, then one request per line.

import * as z from 'zod';
import { nothing, requestLine, unreadable, type Line, type LineParser } from './record.ts';

const count = z.number().nonnegative();

const bounds = z.array(z.number().positive()).min(1).max(500);

const headerSchema = z.object({
  format: z.literal('canary-trace/1'),
  name: z.string().optional(),
  weight: z.number().min(0).max(1).optional(),
  le: z.union([bounds, z.object({ canary: bounds, stable: bounds })]).optional(),
  history: z.object({ n: count, errors: count, buckets: z.array(count).max(501) }).optional(),
  cfg: z.record(z.string(), z.unknown()).default({}),
});

const requestSchema = z.object({
  t: z.number(),
  v: z.enum(['canary', 'candidate', 'stable']),
  status: z.number(),
  ms: z.number().optional(),
});

export function createTraceParser(): LineParser {
  return (line) => {
    if (line.trim() === '') return nothing;
    const value = parseJson(line);
    if (value === undefined) return unreadable('not JSON');
    const request = requestSchema.safeParse(value);
    if (request.success) {
      const { t, v, status, ms } = request.data;
      return requestLine({ atSeconds: t, release: v === 'stable' ? 'stable' : 'candidate', status, latencyMs: ms });
    }
    return headerLine(value) ?? unreadable(firstIssue(request.error));
  };
}

function headerLine(value: unknown): Line | undefined {
  if (typeof value !== 'object' || value === null || !('format' in value || 'type' in value)) return undefined;
  const parsed = headerSchema.safeParse(value);
  if (!parsed.success) return unreadable(`the header is not one of canary-trace/1: ${firstIssue(parsed.error)}`);
  const { name, weight, history, cfg } = parsed.data;
  const { le, differ } = oneSet(parsed.data.le);
  if (history !== undefined && le !== undefined && history.buckets.length !== le.length + 1) {
    return unreadable(
      `the history has ${history.buckets.length} buckets where ${le.length} bounds make ${le.length + 1}`,
    );
  }
  if (le?.some((bound, index) => bound <= (le[index - 1] ?? 0)) === true)
    return unreadable('the bounds in "le" do not ascend');
  return {
    kind: 'header',
    header: {
      name,
      share: weight,
      bounds: le,
      bucketsDiffer: differ,
      // counts without the bounds that they were counted with say nothing
      history: history && {
        requests: history.n,
        errors: history.errors,
        latency: le === undefined ? [] : history.buckets,
      },
      settings: cfg,
    },
  };
}

type Bounds = z.output<typeof headerSchema>['le'];

/** The bounds, where both releases have the same. */
function oneSet(le: Bounds): { readonly le: readonly number[] | undefined; readonly differ: boolean } {
  if (le === undefined || Array.isArray(le)) return { le, differ: false };
  const differ = le.canary.length !== le.stable.length || le.canary.some((bound, index) => bound !== le.stable[index]);
  return { le: differ ? undefined : le.stable, differ };
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'not a request' : `${issue.path.join('.') || 'line'}: ${issue.message}`;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
