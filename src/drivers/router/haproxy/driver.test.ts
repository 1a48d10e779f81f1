import assert from 'node:assert/strict';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { freePort } from '../../../../test/free-port.ts';
import { Failure } from '../../../base/failure.ts';
import type { Routes } from '../../../core/routes.ts';
import { cutAfter, startLoad, until } from './harness-faults.ts';
import { Bench, get, group, routerFor, routesOf, scope, testSpec, benchTest as test } from './harness.ts';
import { withoutHaproxy } from '../../../../test/programs/haproxy.ts';

function isFailure(code: Failure['code'], words: RegExp): (thrown: unknown) => boolean {
  return (thrown) =>
    thrown instanceof Failure &&
    thrown.code === code &&
    words.test(`${thrown.at ?? ''} ${thrown.message} ${thrown.remedy}`);
}

/** Without fields that are undefined. */
function plain(routes: Routes | undefined): unknown {
  return routes === undefined ? undefined : JSON.parse(JSON.stringify(routes));
}

describe('the HAProxy router', { skip: withoutHaproxy }, () => {
  test('routes move without a reload, and only the first time needs one', async (bench) => {
    const { router, haproxy, spec, logged } = await bench.router();
    const [old, fresh] = [await bench.instance('old'), await bench.instance('new')];
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    assert.equal(logged.length, 1);
    const before = await haproxy.ask('show info');
    for (let revision = 2; revision <= 21; revision++) {
      const share = revision % 2 === 0 ? 10_000 : 0;
      await router.apply(routesOf(revision, [group('old', 10_000 - share, old), group('new', share, fresh)]));
      assert.equal((await get(spec.listen)).body, share === 0 ? 'old' : 'new');
    }
    const pid = (text: string): string => /^Pid: .*$/m.exec(text)?.[0] ?? '';
    assert.equal(pid(await haproxy.ask('show info')), pid(before));
    assert.equal(logged.length, 1);
  });

  test('HAProxy started again alone serves the same routes, at addresses that only orders had given it', async (bench) => {
    const { router, haproxy, spec } = await bench.router();
    const [old, fresh] = [await bench.instance('old'), await bench.instance('new')];
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    const routes = routesOf(2, [group('old', 0, old), group('new', 10_000, fresh)]);
    await router.apply(routes);
    await haproxy.kill();
    await assert.rejects(router.read(scope), isFailure('router.unreachable', /stats socket/));
    await haproxy.run();
    assert.equal((await get(spec.listen)).body, 'new');
    assert.deepEqual(plain(await router.read(scope)), plain(routes));
    await assert.rejects(
      router.apply(routesOf(1, [group('old', 10_000, old)])),
      isFailure('router.stale', /revision 2/),
    );
  });

  test('connections that traffic has left are closed before the instance gives them up', async (bench) => {
    const { router, spec } = await bench.router();
    const old = await bench.instance('old', (_request, response) => void setTimeout(() => response.end('old'), 20));
    // As Node has it where nothing is said.
    old.server.keepAliveTimeout = 5_000;
    let givenUp = 0;
    old.server.on('timeout', (socket) => {
      givenUp += 1;
      socket.destroy();
    });
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    const load = startLoad(spec.listen);
    await until(() => load.served > 200);
    assert.deepEqual(await load.stop(), []);
    let open = 1;
    await until(() => {
      old.server.getConnections((_error, count) => (open = count));
      return open === 0;
    });
    assert.equal(givenUp, 0);
  });

  test('whichever order a killed controller had come to, the next apply mends it', async (bench) => {
    const { router, haproxy, spec } = await bench.router();
    const endpoints = await Promise.all(['old', 'new'].map((name) => bench.instance(name)));
    const [old, fresh] = endpoints;
    assert.ok(old !== undefined && fresh !== undefined);
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    let revision = 1;
    let completed = false;
    for (let orders = 0; !completed; orders++) {
      const cut = await cutAfter(join(haproxy.directory, `cut-${orders}.sock`), haproxy.socket, orders);
      const other = routerFor({ ...spec, socket: { path: cut.path } });
      const forth = routesOf((revision += 1), [group('old', 0, old), group(`new-${orders}`, 10_000, fresh)]);
      completed = await other.router.apply(forth).then(
        () => true,
        () => false,
      );
      cut.close();
      const answer = await get(spec.listen);
      assert.ok(['old', 'new'].includes(answer.body), `${answer.status} after ${orders} orders`);
      await router.apply(forth);
      assert.deepEqual(plain(await router.read(scope)), plain(forth));
      assert.equal((await get(spec.listen)).body, 'new');
      await router.apply(routesOf((revision += 1), [group('old', 10_000, old)]));
      assert.equal((await get(spec.listen)).body, 'old');
      const admitted = (await haproxy.ask('show servers state')).split('\n').filter((line) => {
        const [, backend = '', , , , , admin] = line.split(' ');
        return backend.startsWith('sluice.') && (Number(admin) & 0x3b) === 0;
      });
      assert.equal(admitted.length, 1, admitted.join('\n'));
      assert.ok(orders < 100);
    }
    assert.ok(revision > 20);
  });

  test('a syntax error in the user’s own configuration is told in HAProxy’s words, and nothing changes', async (bench) => {
    const { router, haproxy, spec } = await bench.router();
    const old = await bench.instance('old');
    const broken = 'frontend broken\n  bind 127.0.0.1:1x\n  nonsense';
    await haproxy.writeConfig(broken);
    await assert.rejects(router.check(scope), isFailure('router.refused', /nonsense/));
    await haproxy.writeConfig('');
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    await haproxy.writeConfig(broken);
    const before = await readdir(haproxy.own);
    const rules = [{ release: 'old', match: { header: 'x-canary', equals: 'yes' } }];
    await assert.rejects(
      router.apply(routesOf(2, [group('old', 10_000, old)], { rules })),
      isFailure('router.refused', /unknown keyword 'nonsense'/),
    );
    assert.deepEqual(await readdir(haproxy.own), before);
    assert.equal((await router.read(scope))?.revision, 1);
    assert.equal((await get(spec.listen)).body, 'old');
    // What needs no reload still works: to go back must always be possible.
    await router.check(scope);
    await router.apply(routesOf(2, [group('old', 10_000, old)]));
  });

  test('a reload that HAProxy does not survive is undone, and the old one goes on', async (bench) => {
    const { router, haproxy, spec } = await bench.router({ listen: { host: '127.0.0.1', port: await freePort() } });
    const old = await bench.instance('old');
    const taken = createTcpServer();
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    const preview = { host: '127.0.0.1', port: await freePort() };
    await new Promise<void>((resolve) => {
      taken.listen({ ...preview, exclusive: true }, resolve);
    });
    try {
      const other = routerFor({ ...spec, preview });
      await assert.rejects(other.router.check(scope), isFailure('port.taken', new RegExp(String(preview.port))));
      await assert.rejects(
        other.router.apply(routesOf(2, [group('old', 10_000, old)])),
        isFailure('router.refused', /reload/),
      );
    } finally {
      taken.close();
    }
    assert.equal((await get(spec.listen)).body, 'old');
    assert.equal((await router.read(scope))?.revision, 1);
    assert.doesNotMatch(await readFile(join(haproxy.own, 'shop.test.cfg'), 'utf8'), /bind .* name preview/);
    await router.apply(routesOf(2, [group('old', 10_000, old)]));
  });

  test('what is wrong with the socket is told before anything changes', async (bench) => {
    const haproxy = await bench.haproxy({ socketOptions: 'level operator' });
    const spec = await testSpec(haproxy);
    await assert.rejects(routerFor(spec).router.check(scope), isFailure('router.access', /operator.*level admin/));
    await assert.rejects(
      routerFor({ ...spec, socket: { path: join(haproxy.directory, 'none.sock') } }).router.check(scope),
      isFailure('router.unreachable', /none\.sock.*stats socket/),
    );
    await assert.rejects(
      routerFor({ ...spec, socket: { host: '127.0.0.1', port: await freePort() } }).router.check(scope),
      isFailure('router.unreachable', /nobody listens/),
    );
    assert.deepEqual(
      (await readdir(haproxy.own)).filter((file) => !file.startsWith('.')),
      [],
    );
  });

  it(
    'a socket without permission is told',
    { skip: process.getuid?.() === 0 && 'root may open every socket' },
    async () => {
      const bench = new Bench();
      try {
        const { router, haproxy } = await bench.router();
        await chmod(haproxy.socket, 0o000);
        await assert.rejects(router.check(scope), isFailure('router.access', /mode 660 level admin/));
      } finally {
        await bench.end();
      }
    },
  );

  test('an HAProxy that does not load the directory is told how to', async (bench) => {
    const { router, haproxy } = await bench.router({}, { loads: false });
    await assert.rejects(router.check(scope), isFailure('router.setup', /does not load .*sluice.*EXTRAOPTS/s));
    await assert.rejects(router.apply(routesOf(1, [])), isFailure('router.setup', /does not load/));
    assert.deepEqual(
      (await readdir(haproxy.own)).filter((file) => !file.startsWith('.')),
      [],
    );
  });

  test('a directory that is not there, a wrong process id and a missing program are told', async (bench) => {
    const { spec, haproxy } = await bench.router();
    const refuses = (changes: Partial<typeof spec>, code: Failure['code'], words: RegExp): Promise<void> =>
      assert.rejects(routerFor({ ...spec, ...changes }).router.check(scope), isFailure(code, words));
    await refuses({ directory: join(haproxy.directory, 'none') }, 'router.setup', /none.*does not exist/);
    const pidFile = join(haproxy.directory, 'wrong.pid');
    await refuses({ reload: { kind: 'pidFile', path: pidFile } }, 'router.setup', /wrong\.pid.*cannot be read/);
    await writeFile(pidFile, `${process.pid}\n`);
    await refuses({ reload: { kind: 'pidFile', path: pidFile } }, 'router.setup', /not the master/);
    await refuses({ check: ['/nowhere/haproxy'] }, 'router.setup', /cannot be started/);
    await refuses({ check: ['false'] }, 'router.refused', /said nothing/);
  });

  test('new rule names are brought in by a reload that breaks no connection', async (bench) => {
    const { router, spec } = await bench.router();
    const [old, fresh] = [await bench.instance('old'), await bench.instance('new')];
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    const load = startLoad(spec.listen);
    await until(() => load.served > 200);
    const rules = [{ release: 'new', match: { header: 'x-canary', equals: 'yes, please' } }] as const;
    await router.apply(routesOf(2, [group('old', 10_000, old), group('new', 0, fresh)], { rules }));
    assert.equal((await get(spec.listen, { 'x-canary': 'yes, please' })).body, 'new');
    assert.equal((await get(spec.listen, { 'x-canary': 'yes' })).body, 'old');
    const served = load.served;
    await until(() => load.served > served + 200);
    assert.deepEqual(await load.stop(), []);
  });

  test('an instance that does not take connections is passed over, without an error for anybody', async (bench) => {
    const { router, spec } = await bench.router();
    const [one, two] = [await bench.instance('one'), await bench.instance('two')];
    await router.apply(routesOf(1, [group('old', 10_000, one, two)]));
    two.server.closeAllConnections();
    two.server.close();
    for (let sent = 0; sent < 20; sent++) assert.equal((await get(spec.listen)).body, 'one');
  });

  test('visitors of the candidate stay with it while its share grows', async (bench) => {
    const { router, spec } = await bench.router();
    const [old, fresh] = [await bench.instance('old'), await bench.instance('new')];
    const sticky = { cookie: 'keep', maxAgeMs: 60_000 };
    const visitors: { cookie: string; release: string }[] = [];
    for (const [index, share] of [2_000, 5_000, 9_000].entries()) {
      await router.apply(
        routesOf(index + 1, [group('old', 10_000 - share, old), group('new', share, fresh)], { sticky }),
      );
      for (const { cookie, release } of visitors) assert.equal((await get(spec.listen, { cookie })).body, release);
      for (let fresh = 0; fresh < 20; fresh++) {
        const answer = await get(spec.listen);
        const [cookie = ''] = (answer.headers['set-cookie']?.[0] ?? '').split(';');
        visitors.push({ cookie, release: answer.body });
      }
    }
    assert.deepEqual(new Set(visitors.map(({ release }) => release)), new Set(['old', 'new']));
    // A value that somebody made up keeps nobody, nor does the one that stands for none.
    for (const cookie of ['keep=-', 'keep=', 'keep=zzz'])
      assert.equal((await get(spec.listen, { cookie })).status, 200);
  });

  test('two services share one HAProxy', async (bench) => {
    const { router, haproxy, spec } = await bench.router();
    const second = routerFor(await testSpec(haproxy));
    const other = { service: 'mail', environment: 'test' };
    const [one, two] = [await bench.instance('one'), await bench.instance('two')];
    await router.apply(routesOf(1, [group('a', 10_000, one)]));
    await Promise.all([
      router.apply(routesOf(2, [group('a', 10_000, one)])),
      second.router.apply({ ...routesOf(1, [group('b', 10_000, two)]), scope: other }),
    ]);
    assert.equal((await router.read(scope))?.revision, 2);
    assert.equal((await second.router.read(other))?.revision, 1);
    assert.equal((await get(spec.listen)).body, 'one');
  });

  test('more instances than there is room for make room', async (bench) => {
    const { router, spec, logged } = await bench.router();
    const one = await bench.instance('one');
    const many = Array.from({ length: 25 }, (_, index) => ({ ...one, instance: `one-${index}` }));
    await router.apply(routesOf(1, [group('a', 10_000, one)]));
    await router.apply(routesOf(2, [group('a', 10_000, ...many)]));
    assert.equal((await router.read(scope))?.groups[0]?.endpoints.length, 25);
    assert.equal((await get(spec.listen)).body, 'one');
    assert.equal(logged.length, 2);
    await router.apply(routesOf(3, [group('b', 10_000, ...many)]));
    assert.equal(logged.length, 2);
  });

  test('a server that somebody changed by hand is none that the routes lead to, until they are applied again', async (bench) => {
    const { router, haproxy } = await bench.router();
    const one = await bench.instance('one');
    const routes = routesOf(1, [group('a', 10_000, one)]);
    await router.apply(routes);
    await haproxy.ask('set server sluice.shop.test.a/a1 state maint');
    assert.deepEqual((await router.read(scope))?.groups[0]?.endpoints, []);
    await router.apply(routes);
    assert.deepEqual(plain(await router.read(scope)), plain(routes));
  });

  test('who the client is says the connection, not the client', async (bench) => {
    const { router, spec } = await bench.router();
    const one = await bench.instance('one', (asked, response) => response.end(JSON.stringify(asked.headers)));
    await router.apply(routesOf(1, [group('a', 10_000, one)]));
    const lies = {
      'x-forwarded-for': '1.2.3.4',
      X_Forwarded_Host: 'evil',
      'x-real-ip': '1.2.3.4',
      forwarded: 'for=1.2.3.4',
    };
    const seen = JSON.parse((await get(spec.listen, lies)).body) as { [name: string]: string };
    assert.equal(seen['x-forwarded-for'], '127.0.0.1');
    assert.equal(seen['x-forwarded-proto'], 'http');
    assert.doesNotMatch(JSON.stringify(seen), /1\.2\.3\.4|evil/);
  });

  test('the Runtime API may be reached over TCP', async (bench) => {
    const port = await freePort();
    const { spec } = await bench.router({}, { sockets: [`ipv4@127.0.0.1:${port} level admin expose-fd listeners`] });
    const { router } = routerFor({ ...spec, socket: { host: '127.0.0.1', port } });
    const one = await bench.instance('one');
    await router.check(scope);
    await router.apply(routesOf(1, [group('a', 10_000, one)]));
    assert.equal((await get(spec.listen)).body, 'one');
  });

  test('a command of the user’s reloads as well', async (bench) => {
    const { spec, haproxy } = await bench.router();
    const command = ['kill', '-USR2', String(await haproxy.master())];
    const { router } = routerFor({ ...spec, reload: { kind: 'command', command } });
    const one = await bench.instance('one');
    await router.check(scope);
    await router.apply(routesOf(1, [group('a', 10_000, one)]));
    assert.equal((await get(spec.listen)).body, 'one');
    const failing = routerFor({
      ...spec,
      reload: { kind: 'command', command: ['false'] },
      limits: { idleMs: 1_000, answerMs: 1_000 },
    });
    await assert.rejects(
      failing.router.apply(routesOf(2, [group('a', 10_000, one)])),
      isFailure('router.refused', /`false` failed/),
    );
    assert.equal((await router.read(scope))?.revision, 1);
  });

  test('a master that misses the first order to reload is asked again', async (bench) => {
    const { spec, haproxy } = await bench.router();
    const asked = join(haproxy.directory, 'asked');
    const script = `test -e "$0" && exec kill -USR2 ${await haproxy.master()}; touch "$0"`;
    const { router } = routerFor({ ...spec, reload: { kind: 'command', command: ['sh', '-c', script, asked] } });
    const one = await bench.instance('one');
    await router.apply(routesOf(1, [group('a', 10_000, one)]));
    assert.equal((await get(spec.listen)).body, 'one');
  });
});
