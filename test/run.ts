// Runs the tests in three groups and prints what failed, what was left out and why, the coverage of the core, and one closing line.

import { once } from 'node:events';
import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startEngine } from './docker/engine.ts';
import { useBuiltPackage } from './package/program.ts';

interface Group {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  /** Test files side by side. */
  readonly concurrency: number;
  /** The files that take longest begin first, so that none of them runs alone at the end. */
  readonly first?: readonly string[];
  readonly coverage?: boolean;
  /** It runs on the built package, with these programs of the tests beside it. */
  readonly testPrograms?: readonly string[];
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** Least share of the core's lines that tests must reach, in per cent. */
const leastCoverage = 95;

/** Noting which lines run makes calculations three times as long, and the tests around these reach the same lines. */
const longCalculations = ['gate', 'properties'].map((name) => `src/core/gate/statistics/${name}.test.ts`);

/** A file runs in the first group that includes it. */
const groups: readonly Group[] = [
  {
    name: 'core and engine',
    include: ['src/core/**/*.test.ts', 'src/engine/**/*.test.ts'],
    exclude: longCalculations,
    concurrency: 2,
    coverage: true,
  },
  {
    name: 'drivers, wire, CLI and the rules of the project',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    concurrency: 3,
    first: ['test/simulation/simulation.test.ts', 'src/drivers/router/nginx/driver.contract.test.ts'],
  },
  {
    name: 'end to end',
    include: ['test/e2e/*.test.ts'],
    concurrency: 3,
    first: ['survival', 'example-compose', 'demo', 'docker', 'prometheus'].map((name) => `test/e2e/${name}.test.ts`),
    testPrograms: ['test/e2e/support/controller'],
  },
];

/** A file that takes less is not worth a line. */
const worthTellingMs = 5000;

/** A command that failed may have told thousands of long lines before; what it began and ended with says most. */
const longestLine = 500;
const shownLines = 40;

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  readonly failures: string[];
  readonly leftOut: string[];
}

const tally: Tally = { passed: 0, failed: 0, skipped: 0, failures: [], leftOut: [] };

/** Only files whose path has one of these words, where any are given. */
const wanted = process.argv.slice(2);

const given = new Set<string>();

const forgetCompiled = await keepCompiled();
const endEngine = await startEngine();
for (const group of groups) {
  const endPackage = group.testPrograms === undefined ? undefined : await useBuiltPackage(group.testPrograms);
  await runGroup(group);
  await endPackage?.();
}
await endEngine();
await forgetCompiled();
report();

/** From now on what one process has compiled, and freed of its types, the next ones load as it is; resolves with what removes it. */
async function keepCompiled(): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-compiled-'));
  process.env['NODE_COMPILE_CACHE'] = directory;
  return () => rm(directory, { recursive: true, force: true });
}

async function runGroup(group: Group): Promise<void> {
  const files = globSync([...group.include], { cwd: root, exclude: [...(group.exclude ?? [])] })
    .filter((file) => !given.has(file) && (wanted.length === 0 || wanted.some((word) => file.includes(word))))
    .toSorted((a, b) => turnOf(group, a) - turnOf(group, b) || (a < b ? -1 : 1));
  for (const file of files) given.add(file);
  if (files.length === 0) return;
  console.log(`\n${group.name}: ${files.length} files`);
  const stream = run({
    files: files.map((file) => `${root}${file}`),
    concurrency: group.concurrency,
    // A test that hangs is a failure, not a CI that never ends.
    timeout: 600_000,
    ...(group.coverage === true && wanted.length === 0
      ? { coverage: true, coverageIncludeGlobs: ['src/core/**/*.ts'], coverageExcludeGlobs: ['**/*.test.ts'] }
      : {}),
  });
  stream.on('test:pass', (event) => count(event));
  stream.on('test:fail', (event) => count(event));
  stream.on('test:coverage', ({ summary }) => checkCoverage(summary));
  stream.on('test:summary', ({ file, duration_ms }) => noteDuration(file, duration_ms));
  stream.on('test:stderr', ({ message }) => process.stderr.write(message));
  // Reading the stream to its end is what runs the tests.
  stream.resume();
  await once(stream, 'end');
}

/** Tells which files take long, since these decide how long everybody waits. */
function noteDuration(file: string | undefined, milliseconds: number): void {
  if (file === undefined || milliseconds < worthTellingMs) return;
  console.log(`  ${(milliseconds / 1000).toFixed(0).padStart(4)} s  ${file.replace(root, '')}`);
}

function turnOf({ first = [] }: Group, file: string): number {
  const turn = first.indexOf(file);
  return turn === -1 ? first.length : turn;
}

interface Ended {
  readonly name: string;
  readonly file?: string | undefined;
  readonly skip?: string | boolean | undefined;
  readonly details: { readonly type?: string | undefined; readonly error?: unknown; readonly duration_ms: number };
}

/** Suites and files are counted by the tests inside them, except where they fail by themselves. */
function count(event: Ended): void {
  const { error, type } = event.details;
  const place = (event.file ?? '').replace(root, '');
  if (error !== undefined) {
    if (isOfSubtests(error)) return;
    tally.failed += 1;
    const name = `${place}: ${event.name}`;
    tally.failures.push(name);
    console.log(`  FAILED ${name}\n${textOf(error)}`);
  } else if (type === 'suite') {
    return;
  } else if (event.skip !== undefined && event.skip !== false) {
    tally.skipped += 1;
    tally.leftOut.push(`${place}: ${event.name} (${event.skip === true ? 'no reason given' : event.skip})`);
  } else tally.passed += 1;
}

/** A parent that fails only because of tests inside it, which were told already. */
function isOfSubtests(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'failureType' in error && error.failureType === 'subtestsFailed'
  );
}

function inBounds(line: string): string {
  return line.length <= longestLine ? line : `${line.slice(0, longestLine / 2)} … ${line.slice(-longestLine / 2)}`;
}

function textOf(error: unknown): string {
  const cause: unknown = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  const lines = text.split('\n').map((line) => `    ${inBounds(line)}`);
  if (lines.length <= 2 * shownLines) return lines.join('\n');
  const left = lines.length - 2 * shownLines;
  return [...lines.slice(0, shownLines), `    … ${left} further lines …`, ...lines.slice(-shownLines)].join('\n');
}

interface CoverageSummary {
  readonly totals: { readonly coveredLinePercent: number };
  readonly files: readonly { readonly path: string; readonly coveredLinePercent: number }[];
}

function checkCoverage({ totals, files }: CoverageSummary): void {
  console.log(`  line coverage of src/core: ${totals.coveredLinePercent.toFixed(1)} % (at least ${leastCoverage} %)`);
  if (totals.coveredLinePercent >= leastCoverage) return;
  tally.failed += 1;
  const worst = files.toSorted((a, b) => a.coveredLinePercent - b.coveredLinePercent).slice(0, 15);
  tally.failures.push(
    `line coverage of src/core is below ${leastCoverage} %:\n${worst.map((file) => `    ${file.coveredLinePercent.toFixed(1)} % ${file.path.replace(root, '')}`).join('\n')}`,
  );
}

/** In CI a component that is missing is a failure: a test that silently does not run protects nobody. */
function report(): void {
  const missing = tally.leftOut.filter((words) => words.includes('missing:'));
  if (process.env['CI'] === 'true' && missing.length > 0) {
    tally.failed += missing.length;
    tally.failures.push(...missing.map((words) => `left out although this is CI: ${words}`));
  }
  if (tally.leftOut.length > 0) console.log(`\nLeft out:\n${tally.leftOut.map((words) => `  ${words}`).join('\n')}`);
  if (tally.failures.length > 0) console.log(`\nFailed:\n${tally.failures.map((words) => `  ${words}`).join('\n')}`);
  console.log(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  process.exit(tally.failed > 0 || tally.passed === 0 ? 1 : 0);
}
