import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, it } from 'node:test';

import type { Endpoint } from '../../../core/routes.ts';
import { freePort } from '../../../../test/free-port.ts';
import { withoutNginx } from '../../../../test/programs/nginx.ts';
import { standStill } from '../../../../test/stand-still.ts';
import { group, type HarnessOptions, makeHarness, type NginxHarness, routesOf } from './harness.ts';

const skip = await withoutNginx();
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function harnessOf(options: HarnessOptions = {}): Promise<NginxHarness> {
  const harness = await makeHarness(options);
  ends.push(() => harness.close());
  return harness;
}

/** An address where connections are neither taken nor refused, as where a container was: its queue is full, and nobody empties it. */
async function silentInstance(instance: string): Promise<Endpoint> {
  const port = await freePort();
  const program = `require('net').createServer().listen(${port}, '127.0.0.1', 1, () => console.log('listens'))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  ends.push(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await standStill(child.pid ?? 0);
  for (let filled = 0; filled < 8; filled++) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    ends.push(() => socket.destroy());
  }
  return { instance, address: { host: '127.0.0.1', port } };
}

describe('instances that do not answer', { skip }, () => {
  it('are passed over when they are silent', async () => {
    const harness = await harnessOf();
    const old = await harness.startInstance('old-1');
    await harness.router.apply(routesOf(1, [group('old', 10_000, old, await silentInstance('old-2'))]));
    const answers = await Promise.all(Array.from({ length: 6 }, () => harness.request()));
    assert.deepEqual([...new Set(answers.map(({ instance }) => instance))], ['old-1']);
    // That the address was asked, and was silent.
    assert.match(await harness.nginx.errors(), /upstream timed out .* while connecting to upstream/);
  });

  for (const answerMs of [300, 3_100]) {
    it(`have a request alone when they took it, also when ${answerMs} ms are too short for it`, async () => {
      const harness = await harnessOf({ spec: { limits: { headerBytes: 16_384, idleMs: 60_000, answerMs } } });
      let asked = 0;
      const hanging = async (instance: string): Promise<Endpoint> => {
        const server = createServer(() => (asked += 1)).listen(0, '127.0.0.1');
        ends.push(() => {
          server.closeAllConnections();
          server.close();
        });
        await once(server, 'listening');
        return { instance, address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } };
      };
      await harness.router.apply(routesOf(1, [group('old', 10_000, await hanging('old-1'), await hanging('old-2'))]));
      assert.equal((await harness.request()).status, 504);
      assert.equal(asked, 1);
    });
  }
});

it('requests go by what is in force, whatever the http block says about looking at files', { skip }, async () => {
  const cache = 'open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s; open_file_cache_errors on;';
  for (const http of [cache, 'disable_symlinks on;']) {
    // One worker, as each has a cache of its own.
    const harness = await harnessOf({ http, workers: 1 });
    const [old, fresh] = [await harness.startInstance('old-1'), await harness.startInstance('new-1')];
    const groups = [group('old', 10_000, old), group('new', 0, fresh)];
    const rules = [{ release: 'new', match: { header: 'x-canary', equals: 'yes' } }];
    const asked = async (): Promise<string | undefined> =>
      (await harness.request({ headers: { 'x-canary': 'yes' } })).instance;
    await harness.router.apply(routesOf(1, groups, { rules }));
    await harness.router.apply(routesOf(2, groups));
    assert.equal(await asked(), 'old-1');
    await harness.router.apply(routesOf(3, groups, { rules }));
    assert.equal(await asked(), 'new-1', http);
    await harness.router.apply(routesOf(4, groups));
    assert.equal(await asked(), 'old-1', http);
  }
});
