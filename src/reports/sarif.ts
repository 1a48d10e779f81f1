// Reads SARIF, the common form of findings of linters and security scans.

import * as z from 'zod';
import type { FindingFacts } from '../core/decision/facts.ts';
import { badReport, parseJson } from './report-file.ts';

const level = z.enum(['none', 'note', 'warning', 'error']);

const properties = z.object({ 'security-severity': z.union([z.string(), z.number()]).optional() }).optional();

const rule = z.object({
  id: z.string().optional(),
  defaultConfiguration: z.object({ level: level.optional() }).optional(),
  properties,
});

const result = z.object({
  ruleId: z.string().optional(),
  ruleIndex: z.int().optional(),
  level: level.optional(),
  kind: z.string().optional(),
  baselineState: z.string().optional(),
  suppressions: z.array(z.object({ status: z.string().optional() })).optional(),
});

const sarif = z.object({
  version: z.string().regex(/^2\./, { error: 'not version 2 of SARIF' }),
  runs: z
    .array(
      z.object({
        tool: z.object({ driver: z.object({ rules: z.array(rule).optional() }) }),
        results: z.array(result).nullish(),
      }),
    )
    .max(10_000),
});

type Rule = z.output<typeof rule>;
type Result = z.output<typeof result>;

/** Findings that somebody accepted, or that are gone, do not count; a severity of 7 and more counts as an error. */
export function readSarif(text: string, file: string): FindingFacts {
  const parsed = sarif.safeParse(parseJson(text, file));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw badReport(file, `is no SARIF report: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const facts = { errors: 0, warnings: 0 };
  for (const { tool, results } of parsed.data.runs) {
    const rules = tool.driver.rules ?? [];
    const byId = new Map(rules.map((one) => [one.id, one]));
    for (const finding of results ?? []) {
      if (!counts(finding)) continue;
      const own = rules[finding.ruleIndex ?? -1] ?? byId.get(finding.ruleId);
      const severity = severityOf(finding, own);
      if (severity === 'error') facts.errors += 1;
      if (severity === 'warning') facts.warnings += 1;
    }
  }
  return facts;
}

function counts({ kind, baselineState, suppressions }: Result): boolean {
  const accepted = suppressions?.some(({ status }) => status === undefined || status === 'accepted') ?? false;
  return (kind === undefined || kind === 'fail') && baselineState !== 'absent' && !accepted;
}

function severityOf(finding: Result, own: Rule | undefined): z.output<typeof level> {
  if (Number(own?.properties?.['security-severity'] ?? 0) >= 7) return 'error';
  return finding.level ?? own?.defaultConfiguration?.level ?? 'warning';
}
