import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import type { ContractAnswer } from '../../../ports/router-harness.ts';
import { freePort } from '../../../../test/free-port.ts';
import { withoutNginx } from '../../../../test/programs/nginx.ts';
import { standStill } from '../../../../test/stand-still.ts';
import { createNginxRouter } from './driver.ts';
import {
  ask,
  clock,
  failsWith,
  group,
  type HarnessOptions,
  makeHarness,
  type NginxHarness,
  routesOf,
  scope,
  testSpec,
} from './harness.ts';
import { workersOf } from './processes.ts';

const run = promisify(execFile);
const skip = await withoutNginx();
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const note = '# Sluice took shop/test away: nothing is served from this file, and it may be deleted.\n';

/** Serves the scope with one instance. */
async function served(options: HarnessOptions = {}): Promise<NginxHarness> {
  const harness = await makeHarness(options);
  ends.push(() => harness.close());
  if (options.started === false) return harness;
  await applyFirst(harness);
  return harness;
}

async function applyFirst(harness: NginxHarness): Promise<void> {
  await harness.router.apply(routesOf(1, [group('old', 10_000, await harness.startInstance('old-1'))]));
  assert.equal((await harness.request(named(harness))).instance, 'old-1');
}

const named = ({ spec }: NginxHarness) => ({ headers: spec.serverName === undefined ? {} : { host: spec.serverName } });

const lying = async (harness: NginxHarness): Promise<readonly string[]> =>
  (await readdir(dirname(harness.spec.include))).sort();

const include = (harness: NginxHarness): Promise<string> => readFile(harness.spec.include, 'utf8');

const test = ({ nginx }: NginxHarness) => run(nginx.program[0] ?? '', [...nginx.program.slice(1), '-t']);

/** Ends when no worker takes connections that did so before. */
async function reload({ nginx }: NginxHarness): Promise<void> {
  const workers = async () => (await workersOf((await nginx.pid()) ?? 0)) ?? [];
  const former = new Set((await workers()).map(({ pid }) => pid));
  await run(nginx.program[0] ?? '', [...nginx.program.slice(1), '-s', 'reload']);
  while ((await workers()).some(({ pid, going }) => !going && former.has(pid))) await sleep(5);
}

async function isRefused(harness: NginxHarness): Promise<void> {
  await assert.rejects(harness.request(), { code: 'ECONNREFUSED' });
  await assert.rejects(harness.request({ preview: true }), { code: 'ECONNREFUSED' });
}

/** Four clients that ask again and again; `end` resolves with the different answers that they had. */
function asking(one: () => Promise<ContractAnswer>): { readonly end: () => Promise<readonly string[]> } {
  const over = new AbortController();
  const answers = new Set<string>();
  const load = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted) {
      answers.add(await one().then(({ status, instance }) => `${status} ${instance}`, String));
    }
  });
  return {
    async end() {
      over.abort();
      await Promise.all(load);
      return [...answers].sort();
    },
  };
}

describe('a service that is taken out of NGINX', { skip }, () => {
  it('leaves a note in the include, and the lock', async () => {
    const harness = await served();
    await harness.router.remove(scope);
    await isRefused(harness);
    assert.deepEqual(await lying(harness), ['.sluice.conf.lock', 'sluice.conf']);
    assert.equal(await include(harness), note);
    // What a person does next.
    await rm(harness.spec.include);
    await harness.router.remove(scope);
    await harness.router.check(scope);
    assert.equal(await harness.router.read(scope), undefined);
    assert.deepEqual(await lying(harness), ['.sluice.conf.lock']);
  });

  it('keeps a configuration valid that names the include', async () => {
    const harness = await served({ includes: 'include conf.d/sluice.conf;', started: false });
    await writeFile(harness.spec.include, '');
    await harness.nginx.start();
    await applyFirst(harness);
    await harness.router.remove(scope);
    await test(harness);
    await isRefused(harness);
    await applyFirst(harness);
  });

  it('costs other services of the same NGINX no request', async () => {
    const harness = await served();
    const other = { service: 'stock', environment: 'test' };
    const spec = await testSpec(harness.nginx, {
      include: join(harness.nginx.directory, 'conf.d', 'stock.conf'),
      listen: { host: '127.0.0.1', port: await freePort() },
    });
    const stock = createNginxRouter({ spec, clock });
    await stock.apply({ ...routesOf(1, [group('s', 10_000, await harness.startInstance('stock-1'))]), scope: other });
    const load = asking(() => ask(spec));
    for (let revision = 1; revision < 4; revision++) {
      await harness.router.remove(scope);
      await isRefused(harness);
      if (revision < 3) await applyFirst(harness);
    }
    assert.deepEqual(await load.end(), ['200 stock-1']);
    assert.equal((await stock.read(other))?.revision, 1);
  });

  it('lets requests in flight end where they began', async () => {
    const harness = await served();
    const held = await harness.hold();
    await harness.router.remove(scope);
    await isRefused(harness);
    held.finish();
    assert.equal((await held.answer).instance, 'old-1');
  });

  it('is not waited for where NGINX does not run', async () => {
    const harness = await served();
    const signalled = createNginxRouter({ spec: { ...harness.spec, pidFile: harness.nginx.pidFile }, clock });
    const uninstalled = createNginxRouter({ spec: { ...harness.spec, program: ['/no/such/nginx'] }, clock });
    const [ended, crashed] = [() => harness.nginx.stop(), () => harness.nginx.kill()];
    const cases = [
      [ended, harness.router],
      [crashed, harness.router],
      [crashed, signalled],
      [ended, uninstalled],
    ] as const;
    for (const [stop, router] of cases) {
      await stop();
      await router.remove(scope);
      assert.deepEqual(await lying(harness), ['.sluice.conf.lock', 'sluice.conf']);
      await rm(harness.nginx.pidFile, { force: true });
      await harness.nginx.start();
      await isRefused(harness);
      await applyFirst(harness);
    }
  });

  it('is still served where NGINX runs and cannot be told', async () => {
    const harness = await served();
    const spec = { ...harness.spec, pidFile: '/no/such/nginx.pid' };
    await assert.rejects(
      createNginxRouter({ spec, clock }).remove(scope),
      failsWith('router.unreachable', /cannot be asked to reload/),
    );
    assert.equal((await harness.request()).instance, 'old-1');
    await harness.router.remove(scope);
    await isRefused(harness);
    assert.deepEqual(await lying(harness), ['.sluice.conf.lock', 'sluice.conf']);
  });

  it('is not taken for gone because NGINX says nothing', async () => {
    const harness = await served();
    const master = (await harness.nginx.pid()) ?? 0;
    const pids = ((await workersOf(master)) ?? []).map(({ pid }) => pid);
    assert.ok(pids.length > 0);
    for (const pid of pids) await standStill(pid);
    const spec = { ...harness.spec, pidFile: '/no/such/nginx.pid' };
    try {
      await assert.rejects(
        createNginxRouter({ spec, clock }).remove(scope),
        failsWith('router.unreachable', /cannot be asked to reload/),
      );
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    assert.equal((await harness.request()).instance, 'old-1');
  });

  it('is served as before when NGINX refuses, and its words are shown', async () => {
    const harness = await served();
    const before = await include(harness);
    await harness.nginx.write('no_such_directive on;');
    await assert.rejects(harness.router.remove(scope), failsWith('router.refused', /no_such_directive/));
    assert.equal(await include(harness), before);
    assert.equal((await harness.router.read(scope))?.revision, 1);
    assert.equal((await harness.request()).instance, 'old-1');
    await harness.nginx.write();
    await harness.router.remove(scope);
    await isRefused(harness);
  });

  it('stays when the include belongs to another one', async () => {
    const harness = await served();
    const [before, files] = [await include(harness), await lying(harness)];
    await harness.router.remove({ service: 'shop', environment: 'staging' });
    assert.equal(await include(harness), before);
    assert.deepEqual(await lying(harness), files);
    assert.equal((await harness.router.read(scope))?.revision, 1);
    assert.equal((await harness.request()).instance, 'old-1');
  });

  it('gives its address to the others there, also to one that closes without a word', async () => {
    const port = await freePort();
    const http = `server { listen 127.0.0.1:${port} default_server; location / { return 444; } }`;
    const shared: Partial<NginxRouterSpec> = { listen: { host: '127.0.0.1', port }, serverName: 'shop.example' };
    const harness = await served({ http, spec: shared });
    await harness.router.remove(scope);
    await assert.rejects(harness.request(named(harness)), { code: 'ECONNRESET' });
    await harness.nginx.write(http.replace('444', '204'));
    await applyFirst(harness);
    await harness.router.remove(scope);
    assert.equal((await harness.request(named(harness))).status, 204);
  });

  it('can be led to a server of its user before, without a request that fails', async () => {
    for (const serverName of [undefined, 'shop.example']) {
      const harness = await served({ spec: { serverName } });
      const { host, port } = harness.spec.listen;
      const own = await harness.startInstance('own-1');
      const load = asking(() => harness.request({ headers: { host: 'shop.example' } }));
      await writeFile(
        join(dirname(harness.spec.include), 'zz-shop.conf'),
        `server { listen ${host}:${port}; server_name shop.example; location / { proxy_pass http://127.0.0.1:${own.address.port}; } }`,
      );
      // Of two servers with the same name the first one counts, so with a name it waits until Sluice gives that back.
      await reload(harness);
      await harness.router.apply(routesOf(2, []));
      await harness.router.remove(scope);
      assert.equal((await harness.request({ headers: { host: 'shop.example' } })).instance, 'own-1');
      assert.deepEqual(await load.end(), ['200 old-1', '200 own-1']);
    }
  });

  it('has nothing to take away where it never was', async () => {
    const harness = await served({ started: false });
    await harness.router.remove(scope);
    assert.deepEqual(await lying(harness), []);
    await rm(dirname(harness.spec.include), { recursive: true });
    await harness.router.remove(scope);
    await mkdir(dirname(harness.spec.include));
    await writeFile(harness.spec.include, 'server_tokens off;\n');
    await harness.router.remove(scope);
    assert.equal(await include(harness), 'server_tokens off;\n');
    assert.deepEqual(await lying(harness), ['sluice.conf']);
  });

  it('is not looked for behind a file that somebody else put in the place of the include', async () => {
    const harness = await served();
    for (const text of ['server_tokens off;\n', `${note}server_tokens off;\n`]) {
      await writeFile(harness.spec.include, text);
      await assert.rejects(harness.router.remove(scope), failsWith('router.include', /did not write/));
      assert.equal(await include(harness), text);
    }
    assert.equal((await harness.request()).instance, 'old-1');
  });

  it('is removed without the folder that somebody deleted', async () => {
    const harness = await served();
    await rm(join(dirname(harness.spec.include), '.sluice.conf.sluice'), { recursive: true });
    await harness.router.remove(scope);
    await isRefused(harness);
  });

  it('tells its readers of requests again when another controller brought it back', async () => {
    const harness = await served();
    const stop = new AbortController();
    const seen = new Set<string>();
    const reading = (async () => {
      for await (const { samples } of harness.router.feed(scope, stop.signal))
        for (const { instance } of samples) seen.add(instance);
    })();
    ends.push(async () => {
      stop.abort();
      await reading;
    });
    const isSeen = async (instance: string): Promise<void> => {
      for (let attempt = 0; attempt < 400 && !seen.has(instance); attempt++) {
        assert.equal((await harness.request()).instance, instance);
        await sleep(25);
      }
      assert.ok(seen.has(instance));
    };
    await isSeen('old-1');
    await harness.router.remove(scope);
    const another = createNginxRouter({ spec: harness.spec, clock });
    await another.apply(routesOf(1, [group('new', 10_000, await harness.startInstance('new-1'))]));
    await isSeen('new-1');
    stop.abort();
    await reading;
    await harness.router.remove(scope);
    assert.deepEqual(await lying(harness), ['.sluice.conf.lock', 'sluice.conf']);
  });
});
