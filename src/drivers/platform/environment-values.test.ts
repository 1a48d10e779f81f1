import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Failure } from '../../base/failure.ts';
import { releaseVariables } from './environment-values.ts';

test('a variable that is not found names the line of its file that cannot be read', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-values-'));
  context.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'a.env');
  await writeFile(path, 'A=1\nB="se"cret\nC=2\n');
  const values = (name: string) => {
    const environment = { GIVEN: { fromVariables: path, name } };
    return releaseVariables({ command: [], environment, workingDirectory: '.', limits: {} }, {});
  };
  assert.deepEqual(await values('A'), { GIVEN: '1' });
  for (const name of ['B', 'C']) {
    await assert.rejects(values(name), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, 'instance.environment');
      assert.ok(error.message.includes(`line 2 of ${path} has something behind the end of its quote`), error.message);
      return !error.message.includes('se"cret');
    });
  }
});
