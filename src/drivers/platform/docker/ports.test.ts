import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { test } from 'node:test';

import { engineSocket, noEngine } from '../../../../test/docker/engine.ts';
import { connectEngine } from './connection.ts';
import { EngineApi } from './engine-api.ts';
import { realClock } from './fixture.ts';
import { choosePorts } from './ports.ts';

const nobody = 65_534;

/** Below it only root may listen. */
async function firstFreePort(): Promise<number> {
  return Number(await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '0'));
}

async function leftOut(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'only root can become somebody else';
  if ((await firstFreePort()) < 1024) return 'everybody may listen on all ports of this machine';
  return noEngine();
}

test('a port that this user may not listen on is left to the engine', { skip: await leftOut() }, async (context) => {
  const api = new EngineApi(connectEngine({ kind: 'socket', path: engineSocket }, realClock));
  // Once as root, who may read the files that the first request loads.
  await api.containers();
  const { gid } = await stat(engineSocket);
  context.after(() => {
    process.seteuid?.(0);
    process.setegid?.(0);
  });
  process.setegid?.(gid);
  process.seteuid?.(nobody);
  const range = { from: 1000, to: 1000 };
  assert.deepEqual(await choosePorts(api, { host: '127.0.0.1', range }, 1, new Set()), [1000]);
});
