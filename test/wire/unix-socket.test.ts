// The unix socket's path: private, taken over from the dead, never from the living, freed at the end.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { createClient } from '../../src/client/client.ts';
import { rejectsWith } from '../../src/ports/store-samples.ts';
import { type Listening, listen } from '../../src/server/listen.ts';
import { fakeController } from './fake-controller.ts';
import { appOf, temporaryPath } from './with-server.ts';

async function open(context: TestContext, unixSocket: string): Promise<Listening> {
  const listening = await listen({ app: appOf(fakeController({ status: async () => [] })), unixSocket });
  context.after(() => listening.close());
  return listening;
}

async function answers(socket: string): Promise<void> {
  const client = createClient({ socket });
  assert.deepEqual(await client.status(), []);
  await client.close();
}

/** A socket whose server was killed, as `kill -9` leaves it. */
async function deadSocket(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child: ChildProcess = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  if (child.stdout !== null) await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await exited;
  assert.ok(lstatSync(path).isSocket());
}

describe('the unix socket', () => {
  it('is for its owner only, in a folder for its owner only, and is gone afterwards', async (context) => {
    const path = temporaryPath(context, 'run/sluice.sock');
    const listening = await open(context, path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(dirname(path)), ['sluice.sock']);
    await answers(path);
    await listening.close();
    assert.deepEqual(readdirSync(dirname(path)), []);
  });

  it('takes over the path of a dead server', async (context) => {
    const path = temporaryPath(context, 'run/sluice.sock');
    await deadSocket(path);
    await open(context, path);
    await answers(path);
    assert.deepEqual(readdirSync(dirname(path)), ['sluice.sock']);
  });

  it('leaves a living server alone', async (context) => {
    const path = temporaryPath(context, 'run/sluice.sock');
    await open(context, path);
    await rejectsWith(open(context, path), 'server.running');
    await answers(path);
    assert.deepEqual(readdirSync(dirname(path)), ['sluice.sock']);
  });

  it('lets only one of several servers that start at once have a dead one’s path', async (context) => {
    for (let round = 0; round < 5; round += 1) {
      const path = temporaryPath(context, 'run/sluice.sock');
      await deadSocket(path);
      const opened = await Promise.allSettled(Array.from({ length: 6 }, () => open(context, path)));
      assert.equal(opened.filter((each) => each.status === 'fulfilled').length, 1);
      await answers(path);
      assert.deepEqual(readdirSync(dirname(path)), ['sluice.sock']);
    }
  });

  it('never removes a file that is no socket', async (context) => {
    const path = temporaryPath(context, 'notes');
    writeFileSync(path, 'notes');
    assert.match((await rejectsWith(open(context, path), 'server.listen')).message, /no socket/);
    assert.equal(readFileSync(path, 'utf8'), 'notes');
  });

  it('does not remove the socket of a server that took its path meanwhile', async (context) => {
    const path = temporaryPath(context, 'run/sluice.sock');
    const first = await open(context, path);
    renameSync(path, `${path}.moved`);
    await open(context, path);
    await first.close();
    assert.ok(existsSync(path));
    await answers(path);
  });

  it('says so when the path cannot be had', async (context) => {
    const tooLong = temporaryPath(context, `${'x'.repeat(200)}/sluice.sock`);
    await rejectsWith(open(context, tooLong), 'server.listen');
    const through = temporaryPath(context, 'file');
    writeFileSync(through, '');
    await rejectsWith(open(context, `${through}/sluice.sock`), 'server.listen');
  });
});
