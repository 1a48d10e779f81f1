import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Failure } from '../base/failure.ts';
import { writeNewFile } from './new-file.ts';

let directory = '';

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-new-file-'));
});

after(() => rm(directory, { recursive: true }));

test('of two writers at once only one writes, and nothing half-written is left', async () => {
  const file = join(directory, 'sluice.yaml');
  const written = await Promise.all(['one', 'two', 'three'].map((text) => writeNewFile(file, text, false)));
  assert.deepEqual(written.filter(Boolean).length, 1);
  const text = await readFile(file, 'utf8');
  assert.equal(text, ['one', 'two', 'three'][written.indexOf(true)]);
  assert.deepEqual(await readdir(directory), ['sluice.yaml']);
});

test('an existing file is replaced only where that is wanted', async () => {
  const file = join(directory, 'other.yaml');
  await writeFile(file, 'before');
  assert.equal(await writeNewFile(file, 'after', false), false);
  assert.equal(await readFile(file, 'utf8'), 'before');
  assert.equal(await writeNewFile(file, 'after', true), true);
  assert.equal(await readFile(file, 'utf8'), 'after');
});

test('a directory that is not there is a failure with its place', async () => {
  const file = join(directory, 'missing', 'sluice.yaml');
  await assert.rejects(
    writeNewFile(file, 'text', false),
    (thrown) => thrown instanceof Failure && thrown.code === 'disk.failed' && thrown.at === file,
  );
});
