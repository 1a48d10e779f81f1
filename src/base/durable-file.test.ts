import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { killedAt } from '../../test/killed-at.ts';
import { removeUnfinished, writeDurably } from './durable-file.ts';
import { Failure } from './failure.ts';
import { diskFailure, isCode } from './system-error.ts';

test('a file is replaced as a whole and keeps nothing beside it, whoever writes at the same time', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-durable-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'record.json');
  const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
  const reading = (async () => {
    for (let count = 0; count < 50; count += 1) {
      const text = await readFile(path, 'utf8').catch(() => texts[0] ?? '');
      assert.ok(texts.includes(text), 'never a part of a text');
    }
  })();
  await Promise.all(texts.map((text) => writeDurably(path, text, 0o640)));
  await reading;
  assert.deepEqual(await readdir(directory), ['record.json']);
  assert.equal((await stat(path)).mode & 0o777, 0o640);
});

test('a write that fails leaves nothing behind', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-durable-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'taken'));
  await assert.rejects(writeDurably(join(directory, 'taken'), 'text'), (error) => isCode(error, 'EISDIR', 'ENOTEMPTY'));
  assert.deepEqual(await readdir(directory), ['taken']);
  await assert.rejects(writeDurably(join(directory, 'absent', 'file'), 'text'), (error) => isCode(error, 'ENOENT'));
});

test('a write that is killed leaves only what programs pass over that load all of a directory, and what is removed by name', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-durable-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'shop.conf');
  await writeDurably(path, 'old');
  assert.match((await killedAt(2, directory, () => writeDurably(path, 'new'))) ?? '', /^rename/);
  assert.equal(await readFile(path, 'utf8'), 'old');
  const [left = '', ...others] = await readdir(directory);
  assert.match(left, /^\./);
  assert.deepEqual(others, ['shop.conf']);
  await removeUnfinished(directory, (file) => file === 'other.conf');
  assert.equal((await readdir(directory)).length, 2);
  await removeUnfinished(directory, (file) => file === 'shop.conf');
  assert.deepEqual(await readdir(directory), ['shop.conf']);
});

test('errors of the disk become failures, other errors stay what they are', () => {
  const error = (code: unknown) => Object.assign(new Error('words'), { code });
  const codeOf = (thrown: unknown) => (thrown instanceof Failure ? [thrown.code, thrown.at] : thrown);
  assert.deepEqual(codeOf(diskFailure(error('ENOSPC'), '/p')), ['disk.full', '/p']);
  assert.deepEqual(codeOf(diskFailure(error('EDQUOT'), '/p')), ['disk.full', '/p']);
  assert.deepEqual(codeOf(diskFailure(error('EACCES'), '/p')), ['disk.failed', '/p']);
  const failure = new Failure('release.empty', 'm', { remedy: 'r' });
  for (const other of [failure, new TypeError('defect'), new DOMException('aborted', 'AbortError'), 'text']) {
    assert.equal(diskFailure(other, '/p'), other);
  }
});
