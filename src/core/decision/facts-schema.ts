// The schema of facts about a release, as they cross the wire and stand in files of one's own.

import * as z from 'zod';

const count = z.int().min(0).max(1_000_000_000);
const commit = z.string().regex(/^[0-9a-f]{40,64}$/, { error: 'not the hash of a commit' });

const tests = z
  .strictObject({ total: count, failed: count, skipped: count })
  .refine(({ total, failed, skipped }) => failed + skipped <= total, {
    error: 'more failed and were skipped than there are',
  });

const findings = z.strictObject({ errors: count, warnings: count });

const isPart = ({ lines, covered }: { readonly lines: number; readonly covered: number }): boolean => covered <= lines;
const noPart = { error: 'more lines are covered than there are' };
const lines = { lines: count, covered: count };

const coverage = z
  .strictObject({ ...lines, changed: z.strictObject(lines).refine(isPart, noPart).optional() })
  .refine(isPart, noPart);

const safety = {
  build: z.enum(['passed', 'failed']).optional(),
  tests: tests.optional(),
  lint: findings.optional(),
  security: findings.optional(),
};

/** A file of one's own: any of the facts that are read from reports. */
export const summarySchema = z.strictObject({ ...safety, coverage: coverage.optional() });

export const releaseFactsSchema = z.strictObject({
  safety: z.strictObject(safety).optional(),
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
  coverage: coverage.optional(),
});
