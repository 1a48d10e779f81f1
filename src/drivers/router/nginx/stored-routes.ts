// Routes as they lie beside a table.

import * as z from 'zod';

import { Failure } from '../../../base/failure.ts';
import type { Routes } from '../../../core/routes.ts';

const equals = z.string();

const schema: z.ZodType<Routes> = z.object({
  scope: z.object({ service: z.string(), environment: z.string() }),
  revision: z.int().min(0),
  groups: z.array(
    z.object({
      release: z.string(),
      share: z.number(),
      endpoints: z.array(z.object({ instance: z.string(), address: z.object({ host: z.string(), port: z.number() }) })),
    }),
  ),
  rules: z.array(
    z.object({
      release: z.string(),
      match: z.union([z.object({ header: z.string(), equals }), z.object({ cookie: z.string(), equals })]),
    }),
  ),
  sticky: z.object({ cookie: z.string(), maxAgeMs: z.number() }).optional(),
  preview: z.string().optional(),
  health: z.object({ path: z.string(), intervalMs: z.number(), timeoutMs: z.number() }).optional(),
});

/** Rejects with `store.corrupt`. */
export function parseRoutes(text: string, at: string): Routes {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new Failure('store.corrupt', 'The routes beside the table that NGINX serves by are damaged.', {
      at,
      remedy: 'The next deployment or rollback writes them anew.',
      cause: error,
    });
  }
}
