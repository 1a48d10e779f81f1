import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';

import type { Endpoint } from '../../../core/routes.ts';
import { freePort } from '../../../../test/free-port.ts';
import { withoutNginx } from '../../../../test/programs/nginx.ts';
import { createNginxRouter } from './driver.ts';
import {
  clock,
  failsWith,
  group,
  type HarnessOptions,
  makeHarness,
  type NginxHarness,
  routesOf,
  scope,
} from './harness.ts';

const skip = await withoutNginx();
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function harnessOf(options: HarnessOptions = {}): Promise<NginxHarness> {
  const harness = await makeHarness(options);
  ends.push(() => harness.close());
  return harness;
}

const generation = async (harness: NginxHarness): Promise<number> =>
  Number(/"generation":(\d+)/.exec(await readFile(harness.spec.include, 'utf8'))?.[1]);

/** What is renamed to move traffic. */
const linkOf = async (harness: NginxHarness): Promise<string> =>
  join(harness.nginx.directory, 'conf.d', '.sluice.conf.sluice', `g${await generation(harness)}`, 'now');

/** How often the running NGINX has read its configuration. */
const reloads = async (harness: NginxHarness): Promise<number> =>
  (await harness.nginx.errors()).split('signal 1 (SIGHUP) received').length - 1;

const pair = async (harness: NginxHarness): Promise<readonly [Endpoint, Endpoint]> => [
  await harness.startInstance('old-1'),
  await harness.startInstance('new-1'),
];

/** Eight connections, each asking again and again; `end` resolves with what went wrong. */
function keptAlive(harness: NginxHarness): { readonly end: () => Promise<readonly unknown[]> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const over = new AbortController();
  let served = 0;
  const broken: unknown[] = [];
  const one = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const asked = request({ ...harness.spec.listen, agent }, (answer) => {
      if (answer.statusCode === 200) served += 1;
      else broken.push(answer.statusCode);
      answer.resume().on('end', resolve);
    });
    asked.on('error', (error) => {
      broken.push(error);
      resolve();
    });
    asked.end();
    return promise;
  };
  const load = Array.from({ length: 8 }, async () => {
    while (!over.signal.aborted) await one();
  });
  return {
    async end() {
      over.abort();
      await Promise.all(load);
      agent.destroy();
      return served > 0 ? broken : ['nothing was served'];
    },
  };
}

describe('NGINX as a router', { skip }, () => {
  it('moves traffic between known instances without a reload', async () => {
    const harness = await harnessOf();
    const [old, fresh] = await pair(harness);
    await harness.router.apply(routesOf(1, [group('old', 10_000, old), group('new', 0, fresh)]));
    const before = await reloads(harness);
    for (const [index, share] of [100, 10_000, 0].entries()) {
      await harness.router.apply(routesOf(index + 2, [group('old', 10_000 - share, old), group('new', share, fresh)]));
    }
    assert.equal((await harness.request()).instance, 'old-1');
    assert.equal(await reloads(harness), before);
  });

  it('serves a set of instances that comes back without a reload', async () => {
    const harness = await harnessOf();
    const [old, fresh] = await pair(harness);
    await harness.router.apply(routesOf(1, [group('a', 10_000, old)]));
    await harness.router.apply(routesOf(2, [group('a', 10_000, old), group('b', 0, fresh)]));
    const before = await generation(harness);
    await harness.router.apply(routesOf(3, [group('b', 10_000, fresh)]));
    await harness.router.apply(routesOf(4, [group('b', 10_000, fresh), group('c', 0, old)]));
    await harness.router.apply(routesOf(5, [group('c', 10_000, old)]));
    assert.equal((await harness.request()).instance, 'old-1');
    assert.equal(await generation(harness), before);
  });

  it('breaks no kept-alive connection when it has to reload', async () => {
    const harness = await harnessOf();
    const old = await harness.startInstance('old-1');
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const load = keptAlive(harness);
    for (let revision = 2; revision < 7; revision++) {
      const fresh = await harness.startInstance(`new-${revision}`);
      await harness.router.apply(routesOf(revision, [group('old', 5_000, old), group('new', 5_000, fresh)]));
    }
    assert.deepEqual(await load.end(), []);
    assert.ok((await reloads(harness)) >= 5);
  });

  it('breaks none when a reload is given up for going back, and goes back', async () => {
    const harness = await harnessOf();
    const old = await harness.startInstance('old-1');
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const load = keptAlive(harness);
    for (let revision = 2; revision < 12; revision += 2) {
      const fresh = await harness.startInstance(`new-${revision}`);
      const before = await reloads(harness);
      const given = new AbortController();
      const forward = routesOf(revision, [group('old', 5_000, old), group('new', 5_000, fresh)]);
      const applied = harness.router.apply(forward, given.signal).catch(() => undefined);
      while ((await reloads(harness)) === before) await sleep(1);
      given.abort();
      await harness.router.apply(routesOf(revision + 1, [group('old', 10_000, old)]));
      await applied;
      assert.equal((await harness.request()).instance, 'old-1');
    }
    assert.deepEqual(await load.end(), []);
  });

  it('retries on another instance when one cannot be reached', async () => {
    const harness = await harnessOf();
    const old = await harness.startInstance('old-1');
    const dead = { instance: 'old-2', address: { host: '127.0.0.1', port: await freePort() } };
    await harness.router.apply(routesOf(1, [group('old', 10_000, old, dead)]));
    for (let sent = 0; sent < 20; sent++) assert.equal((await harness.request()).instance, 'old-1');
  });

  it('streams bodies and upgrades connections', async () => {
    const harness = await harnessOf();
    const server = createServer((_request, response) => {
      response.write('data: one\n\n');
    });
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    const port = await freePort();
    await new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
    ends.push(async () => {
      sockets.close();
      server.closeAllConnections();
      server.close();
    });
    const endpoint = { instance: 'a-1', address: { host: '127.0.0.1', port } };
    await harness.router.apply(routesOf(1, [group('a', 10_000, endpoint)]));
    const first = await new Promise<string>((resolve, reject) => {
      const asked = request({ ...harness.spec.listen, agent: false }, (answer) => {
        answer.once('data', (chunk: Buffer) => {
          resolve(chunk.toString());
          asked.destroy();
        });
        answer.on('error', () => undefined);
      });
      asked.on('error', reject);
      asked.end();
    });
    assert.equal(first, 'data: one\n\n');
    const socket = new WebSocket(`ws://127.0.0.1:${harness.spec.listen.port}/`);
    const echoed = await new Promise<string>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => socket.send('hello'));
      socket.on('message', (data: Buffer) => resolve(data.toString()));
    });
    assert.equal(echoed, 'hello');
    socket.terminate();
  });

  it('keeps all requests with one key together, and with it as its share grows', async () => {
    const harness = await harnessOf({ spec: { by: { kind: 'header', name: 'x-user' } } });
    const [old, fresh] = await pair(harness);
    const users = Array.from({ length: 60 }, (_, user) => `user ${user}`);
    const candidates = async (): Promise<Set<string>> => {
      const found = new Set<string>();
      for (const user of users) {
        const instances = new Set<string | undefined>();
        for (let visit = 0; visit < 3; visit++)
          instances.add((await harness.request({ headers: { 'x-user': user } })).instance);
        assert.equal(instances.size, 1);
        if (instances.has('new-1')) found.add(user);
      }
      return found;
    };
    await harness.router.apply(routesOf(1, [group('old', 7_000, old), group('new', 3_000, fresh)]));
    const few = await candidates();
    await harness.router.apply(routesOf(2, [group('old', 3_000, old), group('new', 7_000, fresh)]));
    const many = await candidates();
    assert.ok(few.size > 0 && many.size > few.size && many.size < users.length);
    assert.deepEqual(
      [...few].filter((user) => !many.has(user)),
      [],
    );
  });

  it('takes up what a controller that was killed left, at any point', async () => {
    const harness = await harnessOf();
    const [old, fresh] = await pair(harness);
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const directory = join(harness.nginx.directory, 'conf.d', '.sluice.conf.sluice');
    const next = routesOf(2, [group('old', 5_000, old), group('new', 5_000, fresh)]);
    // What is left when it dies while it writes a table, before and after it names it, and before it renames links.
    await mkdir(join(directory, 'tables', '.2-000000000000.1.tmp', 'share'), { recursive: true });
    const inForce = `g${await generation(harness)}`;
    await symlink('../tables/none', join(directory, inForce, 'now.1.tmp'));
    await mkdir(join(directory, 'g2'), { recursive: true });
    await symlink('../tables/none', join(directory, 'g2', 'now'));
    await writeFile(join(directory, inForce, 'closing'), '');
    const again = createNginxRouter({ spec: harness.spec, clock });
    assert.equal((await again.read(scope))?.revision, 1);
    await again.apply(next);
    assert.equal((await again.read(scope))?.revision, 2);
    assert.deepEqual(
      (await readdir(join(directory, 'tables'))).filter((name) => name.startsWith('.')),
      [],
    );
  });

  it('has NGINX read an include that was written but never read', async () => {
    const harness = await harnessOf();
    const [old, fresh] = await pair(harness);
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const first = await readFile(harness.spec.include, 'utf8');
    await harness.router.apply(routesOf(2, [group('old', 10_000, old), group('new', 0, fresh)]));
    const second = await readFile(harness.spec.include, 'utf8');
    const table = await readlink(await linkOf(harness));
    // As if it had died between renaming the include and asking for a reload.
    await writeFile(harness.spec.include, first);
    await harness.nginx.stop();
    await harness.nginx.start();
    await writeFile(harness.spec.include, second);
    const again = createNginxRouter({ spec: harness.spec, clock });
    await again.apply(routesOf(2, [group('old', 10_000, old), group('new', 0, fresh)]));
    assert.equal(await readlink(await linkOf(harness)), table);
    await again.apply(routesOf(3, [group('old', 0, old), group('new', 10_000, fresh)]));
    assert.equal((await harness.request()).instance, 'new-1');
  });

  it('says that NGINX is gone, and serves the same when it is back', async () => {
    const harness = await harnessOf();
    const [old, fresh] = await pair(harness);
    const groups = [group('old', 10_000, old), group('new', 0, fresh)];
    await harness.router.apply(routesOf(1, groups));
    await harness.nginx.kill();
    await assert.rejects(harness.router.read(scope), failsWith('router.unreachable', /does not answer/));
    const moved = routesOf(2, [group('old', 0, old), group('new', 10_000, fresh)]);
    await assert.rejects(harness.router.apply(moved), failsWith('router.unreachable', /does not answer/));
    await rm(harness.nginx.pidFile, { force: true });
    await harness.nginx.start();
    await harness.router.apply(moved);
    assert.equal((await harness.request()).instance, 'new-1');
  });

  it('puts routes back that a thawed controller overtook', async () => {
    const harness = await harnessOf();
    const [old, fresh] = await pair(harness);
    const both = (revision: number, share: number) =>
      routesOf(revision, [group('old', 10_000 - share, old), group('new', share, fresh)]);
    await harness.router.apply(both(1, 0));
    await harness.router.apply(both(2, 0));
    const link = await linkOf(harness);
    const stale = await readlink(link);
    await harness.router.apply(both(4, 10_000));
    // It looked before revision 4 was in force, and goes on now.
    await rm(link);
    await symlink(stale, link);
    await assert.rejects(harness.router.apply(both(3, 0)), failsWith('router.stale', /revision 4/));
    assert.equal((await harness.request()).instance, 'new-1');
  });
});

describe('the feed of NGINX', { skip }, () => {
  it('has another port when a program took the one it had', async () => {
    const harness = await harnessOf();
    const old = await harness.startInstance('old-1');
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const portOf = async (): Promise<number> =>
      Number(/"feedPort":(\d+)/.exec(await readFile(harness.spec.include, 'utf8'))?.[1]);
    const before = await portOf();
    const { createSocket } = await import('node:dgram');
    const stranger = createSocket('udp4');
    await new Promise<void>((resolve) => {
      stranger.bind(before, '127.0.0.1', resolve);
    });
    ends.push(async () => void stranger.close());
    await harness.router.check(scope);
    await harness.router.apply(routesOf(2, [group('old', 10_000, old)]));
    assert.notEqual(await portOf(), before);
  });

  it('costs NGINX nothing while nobody reads', async () => {
    const harness = await harnessOf();
    await harness.router.apply(routesOf(1, [group('old', 10_000, await harness.startInstance('old-1'))]));
    for (let sent = 0; sent < 20; sent++) await harness.request();
    await sleep(50);
    assert.doesNotMatch(await harness.nginx.errors(), /syslog|Connection refused/);
  });

  it('tells of errors of instances and of its own', async () => {
    const harness = await harnessOf();
    const dead = { instance: 'old-1', address: { host: '127.0.0.1', port: await freePort() } };
    await harness.router.apply(routesOf(1, [group('old', 10_000, dead)]));
    const stop = new AbortController();
    const seen: { status: number; origin: string; instance: string }[] = [];
    const reading = (async () => {
      for await (const { samples } of harness.router.feed(scope, stop.signal)) seen.push(...samples);
    })();
    for (let attempt = 0; attempt < 200 && seen.length === 0; attempt++) {
      assert.equal((await harness.request()).status, 502);
      await sleep(50);
    }
    stop.abort();
    await reading;
    assert.deepEqual([seen[0]?.status, seen[0]?.origin, seen[0]?.instance], [502, 'router', 'old-1']);
  });
});
