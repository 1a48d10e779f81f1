// kill -9 in the middle of commits: what was acknowledged is there, and nothing is there by half.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { anEffect, shop } from '../../../ports/store-samples.ts';
import { openSqliteStore } from './driver.ts';
import { temporaryFile } from './temporary-file.ts';

const child = fileURLToPath(new URL('committing-child.ts', import.meta.url));

/** Lets a child commit until `commits` are acknowledged, kills it some moments later; the newest acknowledged version. */
async function commitAndKill(file: string, name: number, commits: number): Promise<number> {
  const committing = spawn(process.execPath, [child, file, String(name)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(committing, 'exit');
  let acknowledged = 0;
  let seen = 0;
  for await (const line of createInterface(committing.stdout)) {
    acknowledged = Number(line);
    seen += 1;
    // Some rounds kill between two commits' turns, others wherever the child happens to be.
    if (seen === commits) setTimeout(() => committing.kill('SIGKILL'), name % 4);
  }
  const [, signal] = (await exited) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL');
  return acknowledged;
}

it('shows every acknowledged commit and no half one after kill -9', async (context) => {
  const file = temporaryFile(context);
  for (let round = 1; round <= 8; round += 1) {
    const acknowledged = await commitAndKill(file, round, 3 + round * 2);
    const store = openSqliteStore({ file });
    const [state] = await store.scopes(shop);
    const version = state?.active?.version ?? 0;
    // The last commit may have been durable without its answer.
    assert.ok(version === acknowledged || version === acknowledged + 1, `${version} after ${acknowledged}`);
    assert.deepEqual(state?.outbox, [anEffect(`d-1#${version}`)]);
    assert.equal(state.lease?.fence, round);
    const records = await store.records({ limit: 10_000 });
    const expected = Array.from({ length: version }, (_, index) => index + 1);
    assert.deepEqual(
      records.map((record) => record.version),
      expected,
    );
    store.close();
  }
});
