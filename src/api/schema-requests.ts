// Schemas of every request to a controller: checked fully, for anybody may have sent it.

import * as z from 'zod';
import { deploySpecSchema } from '../config/deploy-spec-schema.ts';

const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
  error: 'must be lower-case letters, digits and hyphens, at most 63',
});

/** Text of people: bounded, and without control characters that could play tricks on a terminal. */
function words(longest: number): z.ZodString {
  return z
    .string()
    .max(longest)
    .regex(/^[^\p{Cc}]*$/u, { error: 'must not have control characters' });
}

const actor = words(200).min(1);
const release = words(200).min(1);
const deployment = words(200).min(1);
const reason = words(1000);
const limit = z.int().min(1).max(1000);

export const scope = z.strictObject({ service: name, environment: name });

export const deployRequest = z.strictObject({
  spec: deploySpecSchema,
  label: words(200).optional(),
  planDigest: words(200).optional(),
  actor,
});

export const rollbackRequest = z.strictObject({ scope, to: release.optional(), reason, actor });

export const command = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('promote'), full: z.boolean() }),
  z.strictObject({ kind: z.literal('pause'), reason }),
  z.strictObject({ kind: z.literal('resume') }),
  z.strictObject({ kind: z.literal('abort'), reason }),
]);

export const commandRequest = z.strictObject({ scope, command, actor });

export const statusRequest = z.strictObject({ scope: scope.optional() });

export const historyQuery = z.strictObject({ scope: scope.optional(), limit });

export const detailRequest = z.strictObject({ deployment });

export const streamQuery = z.strictObject({
  scope: scope.optional(),
  deployment: deployment.optional(),
  after: z.int().min(0).optional(),
});

export const logsRequest = z.strictObject({
  scope,
  release: release.optional(),
  instance: words(200).min(1).optional(),
  lastLines: z.int().min(0).max(100_000),
  follow: z.boolean(),
});

export const validateRequest = z.strictObject({ spec: deploySpecSchema, through: z.enum(['service', 'preview']) });

export const pruneRequest = z.strictObject({ scope: scope.optional(), dryRun: z.boolean(), actor });
