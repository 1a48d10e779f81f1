import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Failure } from '../base/failure.ts';
import { collectFacts, type FactSources } from './collect.ts';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-facts-'));
});

afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function git(...args: readonly string[]): string {
  const who = ['-c', 'user.name=ann', '-c', 'user.email=ann@desk', '-c', 'init.defaultBranch=main'];
  return execFileSync('git', [...who, ...args], { cwd: root, encoding: 'utf8' }).trim();
}

function commit(): string {
  git('add', '-A');
  git('commit', '-qm', 'a change');
  return git('rev-parse', 'HEAD');
}

const none = { tests: [], lint: [], security: [], coverage: [], summary: [] };

function sources(
  more: Partial<Omit<FactSources, 'reports'>> & { reports?: Partial<FactSources['reports']> } = {},
): FactSources {
  return { directory: root, ...more, reports: { ...none, ...more.reports } };
}

test('what changed since stable is counted by git, and what tools write does not count as lines', async () => {
  git('init', '-q');
  put('shop/a.js', 'one\ntwo\nthree\n');
  put('other/b.js', 'one\n');
  const first = commit();
  put('shop/a.js', 'one\n2\nthree\nfour\n');
  put('shop/db/migrations/001.sql', 'create table t;\n');
  put('shop/package-lock.json', 'x\n'.repeat(500));
  put('shop/logo.png', '\0\u0001\0');
  put('other/b.js', 'elsewhere\n');
  commit();
  const directory = join(root, 'shop');
  const { facts } = await collectFacts(sources({ directory, stable: first }));
  assert.deepEqual(facts.change, {
    commit: git('rev-parse', 'HEAD'),
    since: first,
    basis: 'stable',
    files: 4,
    lines: 4,
    migrations: 1,
    dependencies: 1,
  });
  const { facts: whole } = await collectFacts(sources());
  assert.deepEqual([whole.change?.basis, whole.change?.files], ['parent', 5]);
  git('tag', 'v1', first);
  const { facts: tagged } = await collectFacts(sources({ base: 'v1' }));
  assert.deepEqual([tagged.change?.basis, tagged.change?.since], ['configured', first]);
});

test('changes that are not committed count as well, and a stable commit that is not here is passed over', async () => {
  git('init', '-q');
  put('a.js', 'one\n');
  commit();
  put('a.js', 'two\n');
  commit();
  put('a.js', 'three\nfour\n');
  const { facts } = await collectFacts(sources({ stable: 'f'.repeat(40) }));
  assert.deepEqual([facts.change?.basis, facts.change?.lines], ['parent', 3]);
});

test('where git cannot say what changed the others are read all the same, and it is noted', async () => {
  const tests = [put('junit.xml', '<testsuite><testcase/></testsuite>')];
  const { facts, notes } = await collectFacts(sources({ reports: { tests } }));
  assert.deepEqual(facts.safety?.tests, { total: 1, failed: 0, skipped: 0 });
  assert.equal(facts.change, undefined);
  assert.match(notes.join(), /^what changed is not known: not a git repository/);
  git('init', '-q');
  assert.match((await collectFacts(sources())).notes.join(), /has no commit yet/);
  put('a', '1');
  commit();
  assert.match((await collectFacts(sources())).notes.join(), /no earlier commit/);
});

test('coverage of the changed lines is found however the report names the files', async () => {
  git('init', '-q');
  put('shop/src/a.js', 'one\ntwo\nthree\n');
  put('shop/src/b.js', 'one\n');
  commit();
  // an added line that looks like the head of a file must not be taken for one
  put('shop/src/a.js', 'one\n2\nthree\n++ b/shop/src/b.js\nfive\n');
  commit();
  const directory = join(root, 'shop');
  const names = ['src/a.js', join(directory, 'src/a.js'), 'shop/src/a.js'];
  for (const name of names) {
    const report = `SF:${name}\nDA:1,1\nDA:2,1\nDA:3,0\nDA:4,0\nDA:5,7\nend_of_record\nSF:${name.replace('a.js', 'b.js')}\nDA:1,1\nend_of_record\n`;
    const coverage = [put('lcov.info', report)];
    const { facts } = await collectFacts(sources({ directory, reports: { coverage } }));
    assert.deepEqual(facts.coverage, { lines: 6, covered: 4, changed: { lines: 3, covered: 2 } }, name);
  }
});

test('several reports of one kind add up, and a summary of one’s own fills what they leave', async () => {
  const tests = ['a', 'b'].map((name) =>
    put(`${name}.xml`, '<testsuite><testcase/><testcase><failure/></testcase></testsuite>'),
  );
  const summary = [
    put(
      'summary.json',
      JSON.stringify({
        build: 'passed',
        tests: { total: 9, failed: 0, skipped: 0 },
        coverage: { lines: 10, covered: 7 },
      }),
    ),
  ];
  const { facts } = await collectFacts(sources({ reports: { tests, summary } }));
  assert.deepEqual(facts.safety?.tests, { total: 4, failed: 2, skipped: 0 });
  assert.equal(facts.safety?.build, 'passed');
  assert.deepEqual(facts.coverage, { lines: 10, covered: 7 });
});

const wrong: readonly (readonly [string, () => Partial<Parameters<typeof sources>[0]>, RegExp])[] = [
  ['a report that is not there', () => ({ reports: { tests: [join(root, 'gone.xml')] } }), /gone\.xml is not there/],
  ['a directory', () => ({ reports: { tests: [root] } }), /is not a file/],
  ['a device that never ends', () => ({ reports: { tests: ['/dev/zero'] } }), /is not a file/],
  [
    'a summary with a word too many',
    () => ({ reports: { summary: [put('s.json', '{"mood":"good"}')] } }),
    /does not fit/,
  ],
  [
    'a summary that does not add up',
    () => ({ reports: { summary: [put('s.json', '{"tests":{"total":1,"failed":1,"skipped":1}}')] } }),
    /more failed and were skipped than there are/,
  ],
];

for (const [what, more, message] of wrong) {
  test(`${what} is refused with its path`, async () => {
    await assert.rejects(
      collectFacts(sources(more())),
      (error: Failure) => error.code === 'report.invalid' && message.test(error.message),
    );
  });
}

test('a report beyond all measure is not read', async () => {
  const file = put('huge.xml', '');
  truncateSync(file, 33 * 1024 * 1024);
  await assert.rejects(collectFacts(sources({ reports: { tests: [file] } })), /more than 33554432/);
});

test('a configured base that is no commit, or looks like an option, is refused', async () => {
  git('init', '-q');
  put('a', '1');
  commit();
  for (const base of ['v99', '--output=stolen', '-h']) {
    await assert.rejects(collectFacts(sources({ base })), /names no commit here/);
  }
});

test('git starts no outside diff, no text conversion, no pager and no file monitor', async () => {
  git('init', '-q');
  put('a.txt', 'one\n');
  put('.gitattributes', '*.txt diff=evil\n');
  commit();
  put('a.txt', 'two\n');
  commit();
  const script = put('evil.sh', '#!/bin/sh\ntouch started\ncat "$1"\n');
  execFileSync('chmod', ['755', script]);
  for (const setting of ['diff.evil.textconv', 'diff.evil.command', 'diff.external', 'core.fsmonitor', 'core.pager'])
    git('config', setting, script);
  const coverage = [put('lcov.info', 'SF:a.txt\nDA:1,1\nend_of_record\n')];
  const { facts } = await collectFacts(sources({ reports: { coverage } }));
  assert.equal(facts.change?.files, 1);
  assert.deepEqual(facts.coverage?.changed, { lines: 1, covered: 1 });
  assert.throws(() => execFileSync('ls', ['started'], { cwd: root, stdio: 'ignore' }));
});
