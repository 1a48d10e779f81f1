import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { maxLineBytes } from '../../../core/log-line.ts';
import { ask, crashProgram, eventually, openFixture } from './fixture.ts';
import { currentLog, logPieces, rotate } from './log-files.ts';
import { LineSplitter } from '../line-splitter.ts';
import { LogReader } from './log-reader.ts';

const scope = { service: 'shop', environment: 'production' };

async function folder(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-output-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function drain(reader: LogReader): Promise<string[]> {
  const lines: string[] = [];
  for (let more = true; more;) {
    const next = await reader.next();
    lines.push(...next.lines);
    ({ more } = next);
  }
  return lines;
}

test('lines are made of bytes however they are cut', () => {
  const text = 'one\ntwo\r\n\n💧 three\nlast';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size += 1) {
    const splitter = new LineSplitter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)));
    assert.deepEqual(lines, ['one', 'two', '', '💧 three']);
    assert.equal(splitter.flush(), 'last');
    assert.equal(splitter.flush(), undefined);
  }
});

test('of an endless line only the beginning is kept', () => {
  const splitter = new LineSplitter();
  for (let count = 0; count < 1000; count += 1) assert.deepEqual(splitter.push(Buffer.alloc(10_000, 'x')), []);
  const [line, next] = splitter.push(Buffer.from('\nnext\n'));
  assert.equal(Buffer.byteLength(line ?? ''), maxLineBytes);
  assert.equal(next, 'next');
});

test('the newest lines are found from the end, over blocks and rotated pieces', async (context) => {
  const directory = await folder(context);
  const numbered = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `line ${from + index} ${'.'.repeat(50)}\n`).join('');
  const limits = { maxBytes: 10 * 1024 * 1024, copies: 3 };
  await writeFile(currentLog(directory, 'stdout'), numbered(0, 5000));
  await rotate(directory, 'stdout', limits);
  await appendFile(currentLog(directory, 'stdout'), numbered(5000, 5010));
  for (const count of [0, 1, 10, 11, 3000, 5010, 9000]) {
    const lines = await new LogReader(directory, 'stdout').newest(count, false);
    assert.equal(lines.length, Math.min(count, 5010));
    assert.ok(count === 0 || lines.at(-1)?.startsWith('line 5009 '));
    assert.ok(count === 0 || lines[0]?.startsWith(`line ${Math.max(0, 5010 - count)} `));
  }
});

test('a last line without line end counts, unless it may still go on', async (context) => {
  const directory = await folder(context);
  await writeFile(currentLog(directory, 'stdout'), 'one\ntwo');
  assert.deepEqual(await new LogReader(directory, 'stdout').newest(1, false), ['two']);
  const reader = new LogReader(directory, 'stdout');
  assert.deepEqual(await reader.newest(1, true), ['one']);
  assert.deepEqual(await drain(reader), []);
  await appendFile(currentLog(directory, 'stdout'), ' and more\n');
  assert.deepEqual(await drain(reader), ['two and more']);
});

test('a line without line end is given when nothing follows', async (context) => {
  const directory = await folder(context);
  await writeFile(currentLog(directory, 'stdout'), 'progress 10 %');
  const reader = new LogReader(directory, 'stdout');
  await reader.newest(0, true);
  await appendFile(currentLog(directory, 'stdout'), ' prompt>');
  const seen: string[] = [];
  for (let poll = 0; poll < 10; poll += 1) seen.push(...(await drain(reader)));
  assert.deepEqual(seen, ['progress 10 % prompt>']);
});

test('a follower loses nothing and sees nothing twice, over any number of rotations', async (context) => {
  const directory = await folder(context);
  const limits = { maxBytes: 1024 * 1024, copies: 100 };
  const reader = new LogReader(directory, 'stderr');
  await reader.newest(0, true);
  const written: string[] = [];
  const seen: string[] = [];
  for (let round = 0; round < 60; round += 1) {
    const text = `round ${round} ${'y'.repeat((round * 977) % 3000)}`;
    written.push(text);
    // Cut in the middle of a line now and then.
    const half = Math.floor(text.length / 2);
    await appendFile(currentLog(directory, 'stderr'), text.slice(0, half));
    if (round % 7 === 0) await rotate(directory, 'stderr', limits);
    await appendFile(currentLog(directory, 'stderr'), `${text.slice(half)}\n`);
    if (round % 3 === 0) await rotate(directory, 'stderr', limits);
    if (round % 5 === 0) seen.push(...(await drain(reader)));
  }
  seen.push(...(await drain(reader)));
  assert.deepEqual(seen, written);
});

test('a follower that fell far behind goes on with what is still there', async (context) => {
  const directory = await folder(context);
  const limits = { maxBytes: 50, copies: 2 };
  const reader = new LogReader(directory, 'stdout');
  await reader.newest(0, true);
  for (let round = 0; round < 6; round += 1) {
    await appendFile(currentLog(directory, 'stdout'), `${'z'.repeat(200)}\nround ${round}\n`);
    await rotate(directory, 'stdout', limits);
  }
  await appendFile(currentLog(directory, 'stdout'), 'now\n');
  const all = await drain(reader);
  const seen = all.filter((line) => !line.startsWith('z'));
  const zLines = all.length - seen.length;
  assert.deepEqual(seen, ['round 4', 'round 5', 'now']);
  // The line whose beginning is gone is not shown as if it were whole.
  assert.equal(zLines, 0);
});

test('a rotation that was cut off after the cut keeps its copy, one before the cut leaves nothing twice', async (context) => {
  const directory = await folder(context);
  const limits = { maxBytes: 1000, copies: 5 };
  const lines = () => new LogReader(directory, 'stdout').newest(10, false);
  await writeFile(join(directory, 'stdout.copy-0'), 'one\ntwo\n');
  await writeFile(currentLog(directory, 'stdout'), 'three\n');
  await rotate(directory, 'stdout', limits);
  assert.deepEqual(await lines(), ['one', 'two', 'three']);
  await writeFile(currentLog(directory, 'stdout'), 'four\nfive\n');
  await writeFile(join(directory, 'stdout.copy-0'), 'four\n');
  await rotate(directory, 'stdout', limits);
  assert.deepEqual(await lines(), ['one', 'two', 'three', 'four', 'five']);
});

test('rotated copies are bounded in number and size', async (context) => {
  const directory = await folder(context);
  const limits = { maxBytes: 500, copies: 3 };
  for (let round = 0; round < 8; round += 1) {
    await appendFile(currentLog(directory, 'stdout'), Buffer.alloc(5000, 'a'));
    await rotate(directory, 'stdout', limits);
  }
  const pieces = await logPieces(directory, 'stdout');
  assert.deepEqual(
    pieces.map(({ number }) => number),
    [6, 7, 8, 9],
  );
  for (const { path } of pieces.slice(0, -1)) assert.equal((await stat(path)).size, 1000);
  assert.equal((await readdir(directory)).length, 4);
});

test('a file that somebody else cut is read from its beginning', async (context) => {
  const directory = await folder(context);
  await writeFile(currentLog(directory, 'stdout'), 'a long first line\n');
  const reader = new LogReader(directory, 'stdout');
  await reader.newest(10, true);
  await truncate(currentLog(directory, 'stdout'), 0);
  await appendFile(currentLog(directory, 'stdout'), 'new\n');
  const seen: string[] = [];
  for (let poll = 0; poll < 4; poll += 1) seen.push(...(await drain(reader)));
  assert.deepEqual(seen, ['new']);
});

test('a running instance goes on writing where its output was rotated, and list does the rotation', async (context) => {
  const fixture = await openFixture({ logLimits: { maxBytes: 50_000, copies: 100 } });
  context.after(() => fixture.close());
  const release = await fixture.server();
  const [instance] = await fixture.platform.ensure({ scope, release, deployment: 'd-1', instances: 1 });
  assert.ok(instance);
  await eventually('it answers', () => ask(instance));
  const directory = join(fixture.stateDirectory, 'instances', instance.id);
  const seen: string[] = [];
  const abort = new AbortController();
  const following = (async () => {
    const query = { scope, lastLines: 0, follow: true };
    for await (const { text } of fixture.platform.logs(query, abort.signal)) seen.push(text.slice(0, 8));
  })();
  // Nothing that is written before the follower looks first is its business; this line shows that it looks.
  await eventually('the follower reads', async () => {
    await ask(instance, '/say', 'hello\n');
    return seen.length > 0;
  });
  for (let round = 100; round < 110; round += 1) {
    await ask(instance, '/say', `line ${round}${' '.repeat(20_000)}\n`);
    await fixture.platform.list(scope);
  }
  await eventually('the follower has it all', async () => seen.includes('line 109'));
  abort.abort();
  await following;
  assert.deepEqual(
    seen.filter((text) => text !== 'hello'),
    Array.from({ length: 10 }, (_, index) => `line ${100 + index}`),
  );
  assert.ok((await logPieces(directory, 'stdout')).length > 1);
  assert.ok((await stat(currentLog(directory, 'stdout'))).size <= 70_000);
});

test('a follower sees instances that come later, from their first line', async (context) => {
  const fixture = await openFixture();
  context.after(() => fixture.close());
  const seen: string[] = [];
  const abort = new AbortController();
  const following = (async () => {
    const query = { scope, lastLines: 0, follow: true };
    for await (const { text, stream } of fixture.platform.logs(query, abort.signal)) seen.push(`${stream}: ${text}`);
  })();
  const release = await fixture.release({ 'main.cjs': crashProgram });
  await fixture.platform.ensure({ scope, release, deployment: 'd-1', instances: 1 });
  await eventually('its last words are seen', async () => seen.includes('stderr: last words'));
  abort.abort();
  await following;
});

test('the output of so many stopped instances is kept, and no more', async (context) => {
  const fixture = await openFixture({ keepStopped: 2 });
  context.after(() => fixture.close());
  const releases = [];
  for (let count = 0; count < 4; count += 1) {
    const release = await fixture.release({ 'main.cjs': crashProgram });
    releases.push(release);
    await fixture.platform.ensure({ scope, release, deployment: 'd-1', instances: 1 });
    await eventually('it ended', async () => (await fixture.platform.list(scope))[0]?.state === 'exited');
    await fixture.platform.stop({ scope, release: release.id, graceMs: 0 });
  }
  const counts = [];
  for (const { id } of releases) {
    const query = { scope, release: id, lastLines: 5, follow: false };
    counts.push((await Array.fromAsync(fixture.platform.logs(query))).length);
  }
  assert.deepEqual(counts, [0, 0, 1, 1]);
  assert.equal((await readdir(join(fixture.stateDirectory, 'instances'))).length, 2);
});

test('a record that cannot be read is told by its path', async (context) => {
  const fixture = await openFixture();
  context.after(() => fixture.close());
  const release = await fixture.release({ 'main.cjs': crashProgram });
  const [instance] = await fixture.platform.ensure({ scope, release, deployment: 'd-1', instances: 1 });
  assert.ok(instance);
  const path = join(fixture.stateDirectory, 'instances', instance.id, 'record.json');
  await writeFile(path, '{"version":1,');
  await assert.rejects(fixture.platform.list(scope), { code: 'store.corrupt', at: path });
  await rm(path);
  assert.deepEqual(await fixture.platform.list(scope), []);
});
