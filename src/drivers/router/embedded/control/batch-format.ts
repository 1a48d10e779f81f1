// Sample batches as lines: one table of instances and a row of numbers per sample, because a busy proxy sends thousands a second.

import * as z from 'zod';

import type { Sample, SampleBatch } from '../../../../core/gate/sample.ts';

const ways = ['share', 'rule', 'sticky', 'preview'] as const satisfies readonly Sample['via'][];
const origins = ['instance', 'router'] as const satisfies readonly Sample['origin'][];

const batchSchema = z.object({
  /** Release and instance. */
  of: z.array(z.tuple([z.string(), z.string()])),
  /** When, index in `of`, status, latency, index in `ways`, index in `origins`. */
  rows: z.array(z.tuple([z.number(), z.int(), z.int(), z.number(), z.int(), z.int()])),
  lost: z.int().min(0),
});

/** One line with its line feed. */
export function encodeBatch(batch: SampleBatch): string {
  const of: [string, string][] = [];
  const indexes = new Map<string, number>();
  const rows = batch.samples.map((sample) => {
    const key = `${sample.release} ${sample.instance}`;
    let index = indexes.get(key);
    if (index === undefined) {
      index = of.length;
      of.push([sample.release, sample.instance]);
      indexes.set(key, index);
    }
    return [
      sample.at,
      index,
      sample.status,
      sample.latencyMs,
      ways.indexOf(sample.via),
      origins.indexOf(sample.origin),
    ];
  });
  return `${JSON.stringify({ of, rows, lost: batch.lost })}\n`;
}

/** Undefined when the line is no batch. */
export function decodeBatch(line: string): SampleBatch | undefined {
  const parsed = batchSchema.safeParse(parseJson(line));
  if (!parsed.success) return undefined;
  const samples: Sample[] = [];
  for (const [at, index, status, latencyMs, wayIndex, originIndex] of parsed.data.rows) {
    const [release, instance] = parsed.data.of[index] ?? [];
    const via = ways[wayIndex];
    const origin = origins[originIndex];
    if (release === undefined || instance === undefined || via === undefined || origin === undefined) return undefined;
    samples.push({ at, release, instance, status, latencyMs, via, origin });
  }
  return { samples, lost: parsed.data.lost };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
