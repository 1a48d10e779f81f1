// Schemas of the requests to a controller but those with a specification: checked fully, for anybody may have sent them.

import * as z from 'zod';

const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
  error: 'must be lower-case letters, digits and hyphens, at most 63',
});

/** Text of people: bounded, and without control characters that could play tricks on a terminal. */
export function words(longest: number): z.ZodString {
  return z
    .string()
    .max(longest)
    .regex(/^[^\p{Cc}]*$/u, { error: 'must not have control characters' });
}

export const actor = words(200)
  .min(1)
  .describe('Who asks, as `user@host`; recorded with everything that follows from it.');
const release = words(200).min(1).describe('Id of a release.');
const deployment = words(200).min(1).describe('Id of a deployment.');
const reason = words(1000).describe('Why, in the words of who asks; recorded.');
const limit = z.int().min(1).max(1000).describe('At most so many, the newest ones.');

const scope = z.strictObject({ service: name, environment: name }).describe('Service and environment.');

export const rollbackRequest = z.strictObject({
  scope,
  to: release.optional().describe('Id of the release to go back to; without it the last known good one.'),
  reason,
  actor,
});

export const removeRequest = z.strictObject({ scope, reason, actor });

export const command = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('promote'), full: z.boolean() }),
    z.strictObject({ kind: z.literal('pause'), reason }),
    z.strictObject({ kind: z.literal('resume') }),
    z.strictObject({ kind: z.literal('abort'), reason }),
  ])
  .describe('What to do.');

export const commandRequest = z.strictObject({ scope, command, actor });

export const statusRequest = z.strictObject({ scope: scope.optional() });

export const historyQuery = z.strictObject({ scope: scope.optional(), limit });

export const detailRequest = z.strictObject({ deployment });

export const streamQuery = z.strictObject({
  scope: scope.optional(),
  deployment: deployment.optional(),
  after: z
    .int()
    .min(0)
    .optional()
    .describe('Begin with kept records after this sequence number; without it only what happens from now on.'),
});

export const logsRequest = z.strictObject({
  scope,
  release: release.optional(),
  instance: words(200).min(1).optional().describe('Id of an instance.'),
  lastLines: z.int().min(0).max(100_000).describe('So many of the newest lines of each instance first.'),
  follow: z.boolean().describe('Go on with new lines.'),
});

export const pruneRequest = z.strictObject({
  scope: scope.optional(),
  dryRun: z.boolean().describe('Only say what would be removed.'),
  actor,
});
