// The schema of what is told about a release with the order to deploy it.

import * as z from 'zod';

const count = z.int().min(0).max(1_000_000_000);
const commit = z.string().regex(/^[0-9a-f]{40,64}$/, { error: 'not the hash of a commit' });

const findings = z.strictObject({ errors: count, warnings: count });
const lines = { lines: count, covered: count };

const noMoreThanAll = { error: 'more are covered than there are' };

export const releaseFacts = z
  .strictObject({
    safety: z
      .strictObject({
        build: z.enum(['passed', 'failed']).optional(),
        tests: z
          .strictObject({ total: count, failed: count, skipped: count })
          .refine(({ total, failed, skipped }) => failed + skipped <= total, {
            error: 'more failed and were skipped than there are',
          })
          .optional(),
        lint: findings.optional(),
        security: findings.optional(),
      })
      .optional(),
    change: z
      .strictObject({
        commit,
        since: commit,
        basis: z.enum(['stable', 'configured', 'parent']),
        files: count,
        lines: count,
        migrations: count,
        dependencies: count,
      })
      .optional(),
    coverage: z
      .strictObject({
        ...lines,
        changed: z
          .strictObject(lines)
          .refine((changed) => changed.covered <= changed.lines, noMoreThanAll)
          .optional(),
      })
      .refine((coverage) => coverage.covered <= coverage.lines, noMoreThanAll)
      .optional(),
  })
  .describe('What is known of the release: results of its checks, what changed, what its tests cover.');
