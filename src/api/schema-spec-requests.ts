// Schemas of the requests with a specification in them: apart, because that is nearly all there is to check.

import * as z from 'zod';
import { deploySpecSchema } from '../config/deploy-spec-schema.ts';
import { releaseFactsSchema } from '../core/decision/facts-schema.ts';
import { actor, words } from './schema-requests.ts';

const spec = deploySpecSchema.describe(
  'The configuration of one environment, resolved to absolute paths, milliseconds and basis points.',
);

export const deployRequest = z.strictObject({
  spec,
  label: words(200).optional().describe('What people call this release; no part of its identity.'),
  planDigest: words(200).optional().describe('Digest of a plan made before: refused when a new plan differs.'),
  facts: releaseFactsSchema
    .optional()
    .describe('What is known of the release: results of its checks, what changed, what its tests cover.'),
  actor,
});

export const validateRequest = z.strictObject({
  spec,
  through: z
    .enum(['service', 'preview'])
    .describe('Ask the service through its router, or the release on trial at its instances.'),
});
