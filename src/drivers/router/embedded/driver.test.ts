import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { Failure } from '../../../base/failure.ts';
import { takeFileLock } from '../../../base/file-lock.ts';
import type { Sample } from '../../../core/gate/sample.ts';
import { createEmbeddedRouter, ensureRunning, listProxies, type ProxyInfo, removeProxy, stopProxy } from './driver.ts';
import { Bench, clock, get, group, isRefused, routesOf, scope, until } from './harness.ts';
import { freePort } from '../../../../test/free-port.ts';
import { standStill } from '../../../../test/stand-still.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

const isFailure =
  (code: Failure['code'], place?: string): ((thrown: unknown) => boolean) =>
  (thrown) =>
    thrown instanceof Failure && thrown.code === code && (place === undefined || thrown.at === place);

async function only(directory: string): Promise<ProxyInfo> {
  const [proxy, ...others] = await listProxies(directory);
  assert.ok(proxy);
  assert.equal(others.length, 0);
  return proxy;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function kill(directory: string): Promise<void> {
  const { pid } = await only(directory);
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  await until(async () => (await only(directory)).pid === undefined, 'the proxy is dead');
}

describe('the process of a proxy', () => {
  it('is found again by another controller, with its routes', async () => {
    const { router, spec, directory } = await bench.router();
    const routes = routesOf(1, [group('old', 10_000, await bench.instance('old-1'))]);
    await router.apply(routes);
    const { pid } = await only(directory);
    const other = createEmbeddedRouter({ stateDirectory: directory, spec, clock });
    assert.deepEqual(await other.read(scope), routes);
    await other.apply({ ...routes, revision: 2 });
    assert.equal((await only(directory)).pid, pid);
  });

  it('belongs to nobody: it is the leader of its own session, and knows nothing of the controller’s environment', async (context) => {
    if (process.platform !== 'linux') return context.skip('reads /proc');
    const { router, directory } = await bench.router();
    process.env['SLUICE_TEST_SECRET'] = 'hidden';
    await router.apply(routesOf(1, []));
    delete process.env['SLUICE_TEST_SECRET'];
    const { pid } = await only(directory);
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
    assert.equal(Number(fields[3]), pid);
    assert.doesNotMatch(await readFile(`/proc/${pid}/environ`, 'utf8'), /hidden/);
  });

  it('serves its last routes when it was killed and is started again', async () => {
    const { router, spec, directory } = await bench.router();
    const routes = routesOf(3, [group('old', 10_000, await bench.instance('old-1'))]);
    await router.apply(routes);
    await kill(directory);
    await assert.rejects(router.read(scope), isFailure('router.unreachable'));
    assert.equal(await ensureRunning(directory, scope), true);
    assert.equal((await get(spec.listen)).body, 'old-1');
    assert.deepEqual(await router.read(scope), routes);
    await assert.rejects(router.apply({ ...routes, revision: 2 }), isFailure('router.stale'));
  });

  it('is started again by the next routes', async () => {
    const { router, spec, directory } = await bench.router();
    await router.apply(routesOf(1, [group('old', 10_000, await bench.instance('old-1'))]));
    await kill(directory);
    await router.apply(routesOf(2, [group('new', 10_000, await bench.instance('new-1'))]));
    assert.equal((await get(spec.listen)).body, 'new-1');
  });

  it('keeps its visitors over its own death', async () => {
    const { router, spec, directory } = await bench.router();
    const groups = [
      group('old', 5_000, await bench.instance('old-1')),
      group('new', 5_000, await bench.instance('new-1')),
    ];
    await router.apply(routesOf(1, groups, { sticky: { cookie: 'keep', maxAgeMs: 60_000 } }));
    const first = await get(spec.listen);
    const [cookie = ''] = (first.headers['set-cookie']?.[0] ?? '').split(';');
    assert.match(cookie, /^keep=[\w-]{16}$/);
    assert.match(first.headers['set-cookie']?.[0] ?? '', /; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax$/);
    await kill(directory);
    await ensureRunning(directory, scope);
    for (let visit = 0; visit < 6; visit++) assert.equal((await get(spec.listen, { cookie })).body, first.body);
  });

  it('is one, however many controllers start it at once', async () => {
    const { spec, directory } = await bench.router();
    const instance = await bench.instance('old-1');
    const routers = Array.from({ length: 6 }, () => createEmbeddedRouter({ stateDirectory: directory, spec, clock }));
    await Promise.all(routers.map((router) => router.apply(routesOf(1, [group('old', 10_000, instance)]))));
    assert.equal((await get(spec.listen)).body, 'old-1');
    const { pid } = await only(directory);
    await kill(directory);
    await Promise.all(routers.map(() => ensureRunning(directory, scope)));
    assert.notEqual((await only(directory)).pid, pid);
    await kill(directory);
    // Had a second one been started, it would hold the address now.
    await assert.rejects(get(spec.listen));
  });

  it('does not start where its address is taken, says so, and leaves nothing', async () => {
    const { router, spec, directory } = await bench.router();
    const squatter = createServer();
    squatter.listen(spec.listen.port, spec.listen.host);
    await once(squatter, 'listening');
    const place = `127.0.0.1:${spec.listen.port}`;
    await assert.rejects(router.check(scope), isFailure('port.taken', place));
    await assert.rejects(router.apply(routesOf(1, [])), isFailure('port.taken', place));
    assert.deepEqual(await readdir(directory), []);
    assert.equal(await router.read(scope), undefined);
    squatter.close();
    await once(squatter, 'close');
    await router.apply(routesOf(1, []));
  });

  it('listens to its user alone', async () => {
    const { router, directory } = await bench.router();
    await router.apply(routesOf(1, []));
    const files = join(directory, 'shop', 'test');
    assert.equal((await stat(join(files, 'control.sock'))).mode & 0o777, 0o600);
    assert.equal((await stat(files)).mode & 0o777, 0o700);
    assert.equal((await stat(join(files, 'state.json'))).mode & 0o777, 0o600);
  });

  it('makes its socket anew when somebody removed it', async () => {
    const { router, directory } = await bench.router();
    await router.apply(routesOf(1, []));
    const { pid } = await only(directory);
    await rm(join(directory, 'shop', 'test', 'control.sock'));
    await until(async () => (await only(directory)).pid === pid, 'it answers again');
    await router.apply(routesOf(2, []));
  });

  it('may live under a path that is too long for a socket', async () => {
    const { spec, directory } = await bench.router();
    const deep = join(directory, 'a'.repeat(120));
    const router = createEmbeddedRouter({ stateDirectory: deep, spec, clock });
    bench.onEnd(() => removeProxy(deep, scope, 0));
    const routes = routesOf(1, [group('old', 10_000, await bench.instance('old-1'))]);
    await router.apply(routes);
    assert.deepEqual(await router.read(scope), routes);
  });

  it('is stopped with its requests finished, and its state kept; removed with nothing left', async () => {
    const { router, spec, directory } = await bench.router();
    let finish = (): void => undefined;
    let asked = false;
    const instance = await bench.instance('old-1', (_request, response) => {
      asked = true;
      finish = () => response.end('done');
    });
    await router.apply(routesOf(1, [group('old', 10_000, instance)]));
    const answer = get(spec.listen);
    await until(() => asked, 'the instance has the request');
    const stopped = stopProxy(directory, scope, 30_000);
    await until(() => isRefused(spec.listen), 'no new connections');
    finish();
    assert.equal((await answer).body, 'done');
    await stopped;
    assert.deepEqual([(await only(directory)).pid, (await only(directory)).revision], [undefined, 1]);
    await removeProxy(directory, scope, 0);
    await removeProxy(directory, scope, 0);
    assert.deepEqual(await readdir(directory), []);
  });

  it('that was started again while it was taken away keeps its files, without which nobody could reach it', async () => {
    const { router, directory } = await bench.router();
    await router.apply(routesOf(1, []));
    await stopProxy(directory, scope, 0);
    const place = join(directory, 'shop', 'test');
    // As the new one does before anything else.
    const release = takeFileLock(join(place, 'lock'));
    const before = await readdir(place);
    await assert.rejects(router.remove(scope), { code: 'router.stale' });
    assert.deepEqual(await readdir(place), before);
    release?.();
    await router.remove(scope);
    assert.deepEqual(await readdir(directory), []);
  });

  it('that no longer listens to orders is ended by force', async (context) => {
    if (process.platform !== 'linux')
      return context.skip('a process is only ended by force when its start time is known');
    const { router, directory } = await bench.router();
    await router.apply(routesOf(1, []));
    const { pid } = await only(directory);
    assert.ok(pid);
    await standStill(pid);
    await removeProxy(directory, scope, 0);
    await until(() => !isAlive(pid), 'the process is gone');
  });

  it('takes a damaged state file for none when it is given routes, and for a failure when it is not', async () => {
    const { router, spec, directory } = await bench.router();
    const routes = routesOf(5, [group('old', 10_000, await bench.instance('old-1'))]);
    await router.apply(routes);
    await kill(directory);
    const path = join(directory, 'shop', 'test', 'state.json');
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, 100));
    await assert.rejects(ensureRunning(directory, scope), isFailure('store.corrupt', path));
    await assert.rejects(router.read(scope), isFailure('store.corrupt'));
    assert.deepEqual(await listProxies(directory), []);
    await router.apply(routes);
    assert.equal((await get(spec.listen)).body, 'old-1');
  });

  it('without routes and settings is not started, and that is no failure', async () => {
    assert.equal(await ensureRunning(await bench.directory(), scope), false);
  });

  it('puts routes in force even when it cannot write them down, and says so', async () => {
    const { spec, directory } = await bench.router();
    // The socket of so long a path lies elsewhere, so the rest can be taken away.
    const deep = join(directory, 'a'.repeat(120));
    const router = createEmbeddedRouter({ stateDirectory: deep, spec, clock });
    bench.onEnd(() => removeProxy(deep, scope, 0));
    await router.apply(routesOf(1, [group('old', 10_000, await bench.instance('old-1'))]));
    await rename(join(deep, 'shop'), join(deep, 'away'));
    const next = routesOf(2, [group('new', 10_000, await bench.instance('new-1'))]);
    await assert.rejects(router.apply(next), isFailure('disk.failed'));
    assert.equal((await get(spec.listen)).body, 'new-1');
    await rename(join(deep, 'away'), join(deep, 'shop'));
    await router.apply(next);
  });
});

describe('new settings', () => {
  it('move the proxy to another address without a new process, or not at all when that is taken', async () => {
    const { router, spec, directory } = await bench.router();
    const instance = await bench.instance('old-1');
    await router.apply(routesOf(1, [group('old', 10_000, instance)]));
    const { pid } = await only(directory);
    const squatter = createServer();
    const taken = { host: '127.0.0.1', port: await freePort() };
    squatter.listen(taken.port, taken.host);
    await once(squatter, 'listening');
    bench.onEnd(() => squatter.close());
    const routes = routesOf(2, [group('old', 10_000, instance)]);
    const refused = createEmbeddedRouter({ stateDirectory: directory, spec: { ...spec, listen: taken }, clock });
    await assert.rejects(refused.apply(routes), isFailure('port.taken'));
    assert.equal((await get(spec.listen)).body, 'old-1');
    assert.equal((await router.read(scope))?.revision, 1);

    const listen = { host: '127.0.0.1', port: await freePort() };
    await createEmbeddedRouter({ stateDirectory: directory, spec: { ...spec, listen }, clock }).apply(routes);
    assert.equal((await get(listen)).body, 'old-1');
    await assert.rejects(get(spec.listen));
    assert.equal((await only(directory)).pid, pid);
  });

  it('may name an address that overlaps one of its own, which is not taken for another program’s', async () => {
    const one = { host: '127.0.0.1', port: await freePort() };
    const other = { host: '127.0.0.1', port: await freePort() };
    const { router, spec, directory } = await bench.router({ listen: one, preview: other });
    const instance = await bench.instance('old-1');
    let revision = 1;
    await router.apply(routesOf(revision, [group('old', 10_000, instance)]));
    for (const [listen, preview] of [
      [{ ...one, host: '0.0.0.0' }, other],
      [one, other],
      [other, one],
    ] as const) {
      const changed = createEmbeddedRouter({ stateDirectory: directory, spec: { ...spec, listen, preview }, clock });
      await changed.check(scope);
      await changed.apply(routesOf((revision += 1), [group('old', 10_000, instance)]));
      assert.equal((await get({ ...listen, host: '127.0.0.1' })).body, 'old-1');
      // No release has its preview.
      assert.equal((await get(preview)).status, 503);
    }
  });

  it('leave an overlapping address as it was where they are refused', async () => {
    const { router, spec, directory } = await bench.router();
    const instance = await bench.instance('old-1');
    await router.apply(routesOf(1, [group('old', 10_000, instance)]));
    const squatter = createServer();
    const taken = { host: '127.0.0.1', port: await freePort() };
    squatter.listen(taken.port, taken.host);
    await once(squatter, 'listening');
    bench.onEnd(() => squatter.close());
    const settings = { ...spec, listen: { host: '0.0.0.0', port: spec.listen.port }, preview: taken };
    const refused = createEmbeddedRouter({ stateDirectory: directory, spec: settings, clock });
    const place = `127.0.0.1:${taken.port}`;
    await assert.rejects(refused.check(scope), isFailure('port.taken', place));
    await assert.rejects(refused.apply(routesOf(2, [group('old', 10_000, instance)])), isFailure('port.taken', place));
    assert.equal((await get(spec.listen)).body, 'old-1');
    await router.apply(routesOf(2, [group('old', 10_000, instance)]));
  });
});

describe('the control socket', () => {
  it('refuses what it does not understand, and goes on', async () => {
    const { router, directory } = await bench.router();
    await router.apply(routesOf(1, []));
    const path = join(directory, 'shop', 'test', 'control.sock');
    const ask = async (text: string): Promise<string> => {
      const socket = connect(path);
      socket.on('error', () => undefined);
      socket.write(text);
      let answer = '';
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
        if (answer.includes('\n')) socket.destroy();
      });
      await new Promise((resolve) => {
        socket.once('close', resolve);
      });
      return answer;
    };
    assert.match(await ask('not json\n'), /"failure"/);
    assert.match(await ask('{"protocol":99,"request":{"kind":"hello"}}\n'), /router\.refused.*version 1/);
    assert.match(await ask('{"protocol":1,"request":{"kind":"dance"}}\n'), /router\.refused/);
    assert.match(await ask(`${'x'.repeat(9 * 1024 * 1024)}\n`), /^$|failure/);
    assert.equal((await router.read(scope))?.revision, 1);
  });

  it('refuses routes that would put lines of their own into a head, or do not add up', async () => {
    const { router } = await bench.router();
    const sticky = { cookie: 'a=b\r\nSet-Cookie: c', maxAgeMs: 1 };
    await assert.rejects(router.apply(routesOf(1, [], { sticky })), isFailure('router.refused'));
    await assert.rejects(router.apply(routesOf(1, [group('old', 9_999)])), isFailure('router.refused'));
    await assert.rejects(
      router.apply(routesOf(1, [group('old', 5_000), group('old', 5_000)])),
      isFailure('router.refused'),
    );
  });
});

describe('the feed', () => {
  it('goes on when the proxy was killed and started again', async () => {
    const { router, spec, directory } = await bench.router();
    await router.apply(routesOf(1, [group('old', 10_000, await bench.instance('old-1'))]));
    const stop = new AbortController();
    const samples: Sample[] = [];
    const reading = (async () => {
      for await (const batch of router.feed(scope, stop.signal)) samples.push(...batch.samples);
    })();
    const hearsAgain = async (): Promise<void> => {
      const before = samples.length;
      await until(async () => {
        await get(spec.listen);
        return samples.length > before;
      }, 'samples');
    };
    await hearsAgain();
    await kill(directory);
    await ensureRunning(directory, scope);
    await hearsAgain();
    stop.abort();
    await reading;
  });
});
