import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { standStill } from '../../../../test/stand-still.ts';
import { type HaproxyOptions, withoutHaproxy } from '../../../../test/programs/haproxy.ts';
import { Failure } from '../../../base/failure.ts';
import type { Sample } from '../../../core/gate/sample.ts';
import type { Address } from '../../../core/instance.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { startLoad, until } from './harness-faults.ts';
import {
  type Bench,
  get,
  group,
  routerFor,
  routesOf,
  scope,
  testSpec,
  type TestRouter,
  benchTest as test,
} from './harness.ts';
import { withDirectoryLock } from './install/directory-lock.ts';

const mail = { service: 'mail', environment: 'test' };
const broken = 'frontend broken\n  bind 127.0.0.1:1x\n  nonsense';

/** A router whose service is served. */
async function served(bench: Bench, options: HaproxyOptions = {}): Promise<TestRouter> {
  const there = await bench.router({}, options);
  await there.router.apply(routesOf(3, [group('old', 10_000, await bench.instance('old'))]));
  return there;
}

function isFailure(code: Failure['code'], words: RegExp): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof Failure && thrown.code === code && words.test(thrown.message);
}

async function assertNobodyListens(address: Address): Promise<void> {
  await assert.rejects(get(address), { code: 'ECONNREFUSED' });
}

/** Of the process that answers. */
async function pidOf({ haproxy }: TestRouter): Promise<number> {
  return Number(/^Pid: (\d+)$/m.exec(await haproxy.ask('show info'))?.[1]);
}

describe('a service that is removed from HAProxy', { skip: withoutHaproxy }, () => {
  test('leaves no file but the lock, and HAProxy starts again without it', async (bench) => {
    const { router, haproxy, spec } = await served(bench);
    await router.remove(scope);
    await assertNobodyListens(spec.listen);
    assert.deepEqual(await readdir(haproxy.own), ['.sluice.lock']);
    await haproxy.kill();
    await haproxy.run();
    await assertNobodyListens(spec.listen);
  });

  test('is gone when that is said, also where the process that was replaced stays for a while', async (bench) => {
    const { router, spec } = await served(bench, { more: 'global\n  grace 500ms' });
    await router.remove(scope);
    await assertNobodyListens(spec.listen);
    assert.equal(await router.read(scope), undefined);
  });

  test('costs no request of another service, whose clients keep their connections', async (bench) => {
    const { router, haproxy } = await served(bench);
    const spec = await testSpec(haproxy);
    const other = routerFor(spec);
    await other.router.apply({ ...routesOf(1, [group('b', 10_000, await bench.instance('two'))]), scope: mail });
    const load = startLoad(spec.listen);
    await until(() => load.served > 200);
    await router.remove(scope);
    const before = load.served;
    await until(() => load.served > before + 200);
    assert.deepEqual(await load.stop(), []);
    assert.equal((await other.router.read(mail))?.revision, 1);
  });

  for (const [name, change] of [
    ['a mistake in the user’s own configuration', (there: TestRouter) => there.haproxy.writeConfig(broken)],
    ['a reload that does not work', undefined],
  ] as const) {
    test(`stays as it was after ${name}`, async (bench) => {
      const there = await served(bench);
      const { haproxy, spec, router } = there;
      await change?.(there);
      const files = await readdir(haproxy.own);
      const failing = routerFor({ ...spec, reload: { kind: 'command', command: ['false'] } });
      const words = change === undefined ? /`false` failed/ : /unknown keyword 'nonsense'/;
      await assert.rejects(failing.router.remove(scope), isFailure('router.refused', words));
      assert.deepEqual(await readdir(haproxy.own), files);
      assert.equal((await get(spec.listen)).body, 'old');
      assert.equal((await router.read(scope))?.revision, 3);
      const map = files.find((file) => file.endsWith('.map')) ?? '';
      const line = await haproxy.ask(`get map ${join(haproxy.own, map)} routes`);
      assert.match(line, /value="v1:3:[0-9a-f]{16}:0:/, 'clients are not asked to close any more');
      await haproxy.writeConfig('');
      await haproxy.kill();
      await haproxy.run();
      assert.equal((await get(spec.listen)).body, 'old');
      await router.remove(scope);
      await assertNobodyListens(spec.listen);
    });
  }

  test('is not taken for gone where HAProxy runs and only its socket is not there', async (bench) => {
    const { router, haproxy, spec } = await served(bench);
    const files = await readdir(haproxy.own);
    const elsewhere = routerFor({ ...spec, socket: { path: join(haproxy.directory, 'moved.sock') } });
    await assert.rejects(
      elsewhere.router.remove(scope),
      isFailure('router.unreachable', /nobody listens at the socket/),
    );
    assert.deepEqual(await readdir(haproxy.own), files);
    assert.equal((await get(spec.listen)).body, 'old');
    await router.remove(scope);
    await assertNobodyListens(spec.listen);
  });

  test('goes where its files are gone already, and where HAProxy has it no more', async (bench) => {
    const there = await served(bench);
    const { router, haproxy, spec } = there;
    const files = await Promise.all(
      (await readdir(haproxy.own)).map(
        async (file) => [join(haproxy.own, file), await readFile(join(haproxy.own, file))] as const,
      ),
    );
    for (const [path] of files) await rm(path);
    await router.remove(scope);
    assert.equal(await router.read(scope), undefined);
    await assertNobodyListens(spec.listen);
    for (const [path, contents] of files) await writeFile(path, contents);
    const pid = await pidOf(there);
    await router.remove(scope);
    assert.deepEqual(await readdir(haproxy.own), ['.sluice.lock']);
    assert.equal(await pidOf(there), pid, 'nothing has to be reloaded');
  });

  test('is not waited for where HAProxy is stopped, and not served when it starts again', async (bench) => {
    const { router, haproxy, spec } = await served(bench);
    await haproxy.kill();
    await router.remove(scope);
    assert.deepEqual(await readdir(haproxy.own), ['.sluice.lock']);
    await haproxy.run();
    await assertNobodyListens(spec.listen);
    // All that was there is taken away, such as by a package manager.
    await haproxy.kill();
    await rm(haproxy.socket);
    await router.remove(scope);
    await rm(haproxy.own, { recursive: true });
    await router.remove(scope);
  });

  test('keeps its files as long as HAProxy is there and does not answer', async (bench) => {
    const there = await served(bench);
    const { router, haproxy, spec } = there;
    const files = await readdir(haproxy.own);
    const worker = await pidOf(there);
    await standStill(worker);
    await assert.rejects(router.remove(scope), isFailure('router.unreachable', /did not answer/));
    assert.deepEqual(await readdir(haproxy.own), files);
    process.kill(worker, 'SIGCONT');
    await router.remove(scope);
    await assertNobodyListens(spec.listen);
  });

  test('that HAProxy serves from a directory that is gone is not taken for removed', async (bench) => {
    const { router, haproxy, spec } = await served(bench);
    await rm(haproxy.own, { recursive: true });
    await assert.rejects(router.remove(scope), isFailure('router.setup', /does not exist/));
    assert.equal((await get(spec.listen)).body, 'old');
  });

  test('waits for another controller that changes something', async (bench) => {
    const { router, haproxy, spec } = await served(bench);
    let removed: Promise<void> | undefined;
    await withDirectoryLock(haproxy.own, systemClock, async () => {
      removed = router.remove(scope);
      await sleep(200);
      assert.equal((await get(spec.listen)).body, 'old');
    });
    await removed;
    await assertNobodyListens(spec.listen);
  });

  test('gives the port of its feed back, and is told of again once it is back', async (bench) => {
    const { router, spec } = await served(bench);
    const stop = new AbortController();
    const seen: Sample[] = [];
    const reading = (async () => {
      for await (const { samples } of router.feed(scope, stop.signal)) seen.push(...samples);
    })();
    /** Until one request is told of that was asked now. */
    const visited = async (): Promise<void> => {
      seen.length = 0;
      for (let tries = 0; seen.length === 0 && tries < 500; tries++) {
        await get(spec.listen);
        await sleep(20);
      }
      assert.ok(seen.length > 0);
    };
    try {
      await visited();
      await router.remove(scope);
      await freed(spec.feed.listen);
      await router.apply(routesOf(1, [group('old', 10_000, await bench.instance('new'))]));
      await visited();
    } finally {
      stop.abort();
      await reading;
    }
  });
});

/** Resolves when nobody has this UDP port. */
async function freed({ host, port }: Address): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const socket = createSocket('udp4');
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind({ address: host, port, exclusive: true }, () => resolve(true));
    });
    socket.close();
    if (isFree) return;
    await sleep(10);
  }
  assert.fail(`somebody has the port ${port}`);
}
