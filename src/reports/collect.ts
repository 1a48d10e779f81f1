// Puts together what is known of a release: reports of its checks and coverage, and what changed.

import { isAbsolute, relative, resolve } from 'node:path';
import { summarySchema } from '../core/decision/facts-schema.ts';
import type { CoverageFacts, FindingFacts, ReleaseFacts, SafetyFacts, TestFacts } from '../core/decision/facts.ts';
import { changedLinesOf, changeOf, type Change, type ChangedLines } from './change.ts';
import { readCoverage, type Coverage } from './coverage.ts';
import { readJunit } from './junit.ts';
import { badReport, parseJson, readReport } from './report-file.ts';
import { readSarif } from './sarif.ts';

/** Absolute paths of the reports by kind, and where and since when to look for changes. */
export interface FactSources {
  /** Of the configuration file; changes below it count. */
  readonly directory: string;
  readonly reports: Readonly<Record<'tests' | 'lint' | 'security' | 'coverage' | 'summary', readonly string[]>>;
  readonly base?: string | undefined;
  readonly stable?: string | undefined;
}

export interface Collected {
  readonly facts: ReleaseFacts;
  /** What could not be found out, and why: a sentence each. */
  readonly notes: readonly string[];
}

/** Rejects with `report.invalid` where a report that is named is missing or is not what it should be. */
export async function collectFacts(sources: FactSources): Promise<Collected> {
  const { reports, directory } = sources;
  const summary = await summaryOf(reports.summary);
  const change = await changeOf(sources);
  const known = 'facts' in change ? change : undefined;
  const coverage = await coverageOf(reports.coverage, known, directory);
  const safety = await safetyOf(reports, summary);
  return {
    facts: {
      ...(Object.keys(safety).length > 0 && { safety }),
      ...(known !== undefined && { change: known.facts }),
      ...((coverage ?? summary.coverage) !== undefined && { coverage: coverage ?? summary.coverage }),
    },
    notes: 'why' in change ? [`what changed is not known: ${change.why}`] : [],
  };
}

type Summary = SafetyFacts & { readonly coverage?: CoverageFacts | undefined };

async function summaryOf([file]: readonly string[]): Promise<Summary> {
  if (file === undefined) return {};
  const parsed = summarySchema.safeParse(parseJson(await readReport(file), file));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badReport(file, `does not fit: ${issue?.path.join('.') || 'it'}: ${issue?.message ?? ''}`);
}

async function safetyOf(files: FactSources['reports'], summary: Summary): Promise<SafetyFacts> {
  const tests = (await all(files.tests, readJunit, addTests)) ?? summary.tests;
  const lint = (await all(files.lint, readSarif, addFindings)) ?? summary.lint;
  const security = (await all(files.security, readSarif, addFindings)) ?? summary.security;
  return {
    ...(summary.build !== undefined && { build: summary.build }),
    ...(tests !== undefined && { tests }),
    ...(lint !== undefined && { lint }),
    ...(security !== undefined && { security }),
  };
}

/** The reports of one kind, added up; undefined where there are none. */
async function all<Fact>(
  files: readonly string[],
  read: (text: string, file: string) => Fact,
  add: (a: Fact, b: Fact) => Fact,
): Promise<Fact | undefined> {
  let sum: Fact | undefined;
  for (const file of files) {
    const fact = read(await readReport(file), file);
    sum = sum === undefined ? fact : add(sum, fact);
  }
  return sum;
}

const addTests = (a: TestFacts, b: TestFacts): TestFacts => ({
  total: a.total + b.total,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

const addFindings = (a: FindingFacts, b: FindingFacts): FindingFacts => ({
  errors: a.errors + b.errors,
  warnings: a.warnings + b.warnings,
});

async function coverageOf(
  files: readonly string[],
  change: Change | undefined,
  directory: string,
): Promise<CoverageFacts | undefined> {
  if (files.length === 0) return undefined;
  const changed = change === undefined ? undefined : await changedLinesOf(change, directory);
  const counts = { lines: 0, covered: 0 };
  const ofChanged = { lines: 0, covered: 0 };
  for (const file of files) {
    const coverage = readCoverage(await readReport(file), file);
    for (const [source, lines] of coverage.files) {
      const own = changedIn(source, coverage, { changed, root: change?.root, directory });
      addLines(counts, lines);
      if (own !== undefined) addLines(ofChanged, new Map([...lines].filter(([line]) => own.has(line))));
    }
  }
  return changed === undefined ? counts : { ...counts, changed: ofChanged };
}

function addLines(counts: { lines: number; covered: number }, lines: ReadonlyMap<number, number>): void {
  counts.lines += lines.size;
  for (const hits of lines.values()) if (hits > 0) counts.covered += 1;
}

interface Places {
  readonly changed: ChangedLines | undefined;
  readonly root: string | undefined;
  readonly directory: string;
}

/** The changed lines of a source file, which a report may name in several ways. */
function changedIn(
  source: string,
  { roots }: Coverage,
  { changed, root, directory }: Places,
): ReadonlySet<number> | undefined {
  if (changed === undefined || root === undefined) return undefined;
  const places = isAbsolute(source)
    ? [source]
    : [...roots, directory, root].map((place) => resolve(directory, place, source));
  for (const place of places) {
    const found = changed.get(relative(root, place));
    if (found !== undefined) return found;
  }
  return undefined;
}
