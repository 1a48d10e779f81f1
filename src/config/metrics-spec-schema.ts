// Checks metric sources, and the questions to them, of a specification that came over the wire or out of the store.

import { isAbsolute } from 'node:path';
import * as z from 'zod';
import { longestQuestionMs } from '../core/gate/assess-query.ts';

const absolute = z
  .string()
  .max(4096)
  .refine((path) => isAbsolute(path) && !path.includes('\0'), { error: 'not an absolute path' });
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/);
export const secretSpec = z.union([
  z.strictObject({ fromFile: absolute }),
  z.strictObject({ fromEnvironment: variable }),
]);
export const textOrSecret = z.union([z.string().max(8192), secretSpec]);
const withinMs = z.int().min(1).max(longestQuestionMs);
const durationMs = z
  .int()
  .min(1000)
  .max(20 * 86_400_000);
const question = z.string().max(8192);
const anyNumber = z.number();

const web = {
  url: z
    .string()
    .max(2048)
    .regex(/^https?:\/\/[^\s@]+$/, { error: 'neither an HTTP URL nor one without a password' }),
  headers: z.record(z.string().max(256), textOrSecret),
  credentials: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('bearer'), token: secretSpec }),
      z.strictObject({ kind: z.literal('basic'), user: z.string().max(256), password: secretSpec }),
    ])
    .optional(),
  ca: absolute.optional(),
  withinMs,
  staleMs: durationMs,
};

const source = z.discriminatedUnion('driver', [
  z.strictObject({ driver: z.literal('prometheus'), ...web }),
  z.strictObject({ driver: z.literal('http'), ...web }),
  z.strictObject({
    driver: z.literal('command'),
    command: z.array(z.string().max(32_768)).min(1).max(1000),
    workingDirectory: absolute,
    environment: z.record(variable, textOrSecret),
    withinMs,
  }),
  z.strictObject({ driver: z.literal('memory') }),
]);

export const metricSourcesShape = z.record(z.string().min(1).max(256), source);

export const queryCheckShape = z.strictObject({
  kind: z.literal('query'),
  name: z.string().min(1).max(128),
  source: z.string().min(1).max(256),
  query: question,
  measuredAt: question.optional(),
  samples: question.optional(),
  minSamples: z.int().min(0).max(1_000_000_000),
  max: anyNumber.optional(),
  min: anyNumber.optional(),
  worseThanStable: z.number().min(0).optional(),
  points: z.int().min(1).max(100),
  noData: z.enum(['hold', 'fail']),
  weight: z.number().min(0).max(1),
  intervalMs: durationMs,
  windowMs: durationMs,
});
