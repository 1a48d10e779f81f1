import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { noEngine } from '../../../../test/docker/engine.ts';
import { docker } from '../../../../test/docker/image.ts';
import { freePort, freePorts } from '../../../../test/free-port.ts';
import { Failure } from '../../../base/failure.ts';
import type { Instance, InstanceGroup, LogLine } from '../../../core/instance.ts';
import type { Release } from '../../../core/release.ts';
import { ask, type DockerFixture, eventually, openFixture, platformSpec } from './fixture.ts';

const scope = { service: 'shop', environment: 'production' };
const leftOut = await noEngine();

function group(release: Release, instances = 1): InstanceGroup {
  return { scope, release, deployment: 'd-1', instances };
}

function isFailure(code: string, words = /./): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof Failure, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    assert.match(`${thrown.message} ${thrown.remedy}`, words);
    return true;
  };
}

async function opened(context: TestContext): Promise<DockerFixture> {
  const fixture = await openFixture();
  context.after(() => fixture.close());
  return fixture;
}

async function started(fixture: DockerFixture, release: Release): Promise<Instance> {
  const [instance] = await fixture.platform.ensure(group(release));
  assert.ok(instance);
  await eventually('it answers', async () => (await ask(instance)) !== undefined);
  return instance;
}

async function linesOf(fixture: DockerFixture, instance: Instance): Promise<readonly LogLine[]> {
  return Array.fromAsync(fixture.platform.logs({ scope, instance: instance.id, lastLines: 100, follow: false }));
}

describe('docker platform', { skip: leftOut }, () => {
  test('a container that is not published is reached at its own address, also after it was started again', async (context) => {
    const fixture = await opened(context);
    const { publish: _publish, ...spec } = platformSpec;
    const platform = fixture.open({ spec });
    const release = await fixture.release();
    await platform.check(release.run, undefined);
    const [instance] = await platform.ensure(group(release));
    assert.ok(instance);
    assert.notEqual(instance.address.host, '127.0.0.1');
    await eventually('it answers', async () => (await ask(instance)) === 'ok');
    const [found] = await docker.listContainers({ filters: { label: [`sluice.instance=${instance.id}`] } });
    assert.deepEqual(
      found?.Ports.filter(({ PublicPort }) => PublicPort !== undefined),
      [],
    );

    await docker.getContainer(found?.Id ?? '').kill();
    await eventually('it is known to have ended', async () => (await platform.list(scope))[0]?.state === 'exited');
    assert.equal((await platform.list(scope))[0]?.address.host, 'not-running.invalid');
    const [again] = await platform.ensure(group(release));
    assert.ok(again);
    assert.equal(again.id, instance.id);
    await eventually('it answers again', async () => (await ask(again)) === 'ok');
  });

  test('a container has its limits, its user, a root file system that cannot be written, and no capabilities', async (context) => {
    const fixture = await opened(context);
    const release = await fixture.release(
      { user: '65534:65534', limits: { memoryBytes: 256 * 1024 * 1024, openFiles: 321 } },
      {
        readOnly: true,
        capDrop: ['ALL'],
        pids: 64,
        milliCpus: 500,
        mounts: [{ kind: 'tmpfs', target: '/scratch', readOnly: false }],
        log: { driver: 'json-file', options: { 'max-size': '1m' } },
      },
    );
    const instance = await started(fixture, release);
    assert.equal(await ask(instance, '/user'), '[65534,65534]');
    assert.equal(await ask(instance, '/write', '/app/file'), 'EROFS');
    assert.equal(await ask(instance, '/write', '/scratch/file'), 'written');
    const status = (await ask(instance, '/status')) ?? '';
    assert.match(status, /CapEff:\s+0{16}/);
    assert.match(status, /NoNewPrivs:\s+1/);
    const [found] = await docker.listContainers({ filters: { label: [`sluice.instance=${instance.id}`] } });
    const { HostConfig } = await docker.getContainer(found?.Id ?? '').inspect();
    assert.deepEqual(
      [HostConfig.Memory, HostConfig.PidsLimit, HostConfig.NanoCpus, HostConfig.LogConfig, HostConfig.Ulimits],
      [
        256 * 1024 * 1024,
        64,
        500_000_000,
        { Type: 'json-file', Config: { 'max-size': '1m' } },
        [{ Name: 'nofile', Soft: 321, Hard: 321 }],
      ],
    );
  });

  test('instances take the lowest free ports of a range, on loopback, and keep them over a restart', async (context) => {
    const fixture = await opened(context);
    const range = await freePorts(20);
    const platform = fixture.open({ spec: { ...platformSpec, ports: range } });
    const release = await fixture.release();
    const instances = await platform.ensure(group(release, 2));
    const ports = instances.map(({ address }) => address.port);
    assert.ok(
      ports.every((port) => port >= range.from && port <= range.to),
      ports.join(),
    );
    assert.deepEqual(
      ports,
      ports.toSorted((a, b) => a - b),
    );
    const [first] = instances;
    assert.ok(first);
    await eventually('it answers', () => ask(first));
    await ask(first, '/crash');
    await eventually('it ended', async () => (await platform.list(scope)).some(({ state }) => state === 'exited'));
    const again = await platform.ensure(group(release, 2));
    assert.deepEqual(
      again.map(({ address }) => address.port),
      ports,
    );
  });

  test('a range without enough free ports is refused before anything is made', async (context) => {
    const fixture = await opened(context);
    const from = await freePort();
    const taken = createServer().listen(from, '127.0.0.1');
    context.after(() => taken.close());
    const platform = fixture.open({ spec: { ...platformSpec, ports: { from, to: from } } });
    const release = await fixture.release();
    await assert.rejects(platform.check(release.run, undefined), isFailure('port.taken', /platform\.docker\.ports/));
    await assert.rejects(platform.ensure(group(release)), isFailure('port.taken'));
    assert.deepEqual(await platform.list(scope), []);
  });

  test('secrets are looked up when the container is made, and one that is missing is named without its value', async (context) => {
    const fixture = await opened(context);
    const directory = await mkdtemp(join(tmpdir(), 'sluice-docker-'));
    context.after(() => rm(directory, { recursive: true, force: true }));
    const variables = join(directory, '.env');
    await writeFile(variables, 'PASSWORD="se cret"\nOTHER=1\n');
    const release = await fixture.release({
      environment: {
        TOKEN: { fromEnvironment: 'SHOP_TOKEN' },
        URL: { joined: ['postgres://shop:', { fromVariables: variables, name: 'PASSWORD' }, '@db/shop'] },
      },
    });
    const poor = fixture.open({ environment: {} });
    await assert.rejects(poor.check(release.run, undefined), isFailure('instance.environment', /SHOP_TOKEN/));
    await assert.rejects(poor.ensure(group(release)), isFailure('instance.environment'));
    const rich = fixture.open({ environment: { SHOP_TOKEN: 'abc' } });
    const [instance] = await rich.ensure(group(release));
    assert.ok(instance);
    const text = await eventually('it answers', () => ask(instance, '/environment'));
    const environment = JSON.parse(text) as Record<string, string>;
    assert.equal(environment['TOKEN'], 'abc');
    assert.equal(environment['URL'], 'postgres://shop:se cret@db/shop');
    assert.equal(environment['SLUICE_RELEASE'], release.id);
  });

  test('stop uses the signal of the container', async (context) => {
    const fixture = await opened(context);
    const release = await fixture.release({}, { stopSignal: 'SIGINT' });
    const instance = await started(fixture, release);
    await fixture.platform.stop({ scope, release: release.id, graceMs: 10_000 });
    assert.deepEqual(
      (await linesOf(fixture, instance)).map(({ text }) => text),
      ['interrupted'],
    );
  });

  test('lines of both streams come with their stream and their time', async (context) => {
    const fixture = await opened(context);
    const release = await fixture.release();
    const instance = await started(fixture, release);
    await ask(instance, '/say', 'out\n');
    await ask(instance, '/complain', 'err\n');
    const lines = await eventually('both are there', async () => {
      const found = await linesOf(fixture, instance);
      return found.length === 2 && found;
    });
    assert.deepEqual(lines.map(({ stream, text }) => `${stream} ${text}`).toSorted(), ['stderr err', 'stdout out']);
    for (const { at } of lines) assert.ok(at !== undefined && Math.abs(Date.now() - at) < 600_000);
  });

  test('the health check of the container is told, with its last words', async (context) => {
    const fixture = await opened(context);
    const health = { intervalMs: 200, timeoutMs: 5_000, retries: 1 };
    const sick = await fixture.release(
      {},
      { health: { test: ['CMD', 'node', '-e', 'console.log("no database"); process.exit(1)'], ...health } },
    );
    await fixture.platform.ensure(group(sick));
    const found = await eventually('it is unhealthy', async () =>
      (await fixture.platform.list(scope)).find(({ ownHealth }) => ownHealth?.state === 'unhealthy'),
    );
    assert.deepEqual(found.ownHealth, { state: 'unhealthy', words: 'no database' });
    await fixture.platform.stop({ scope, release: sick.id, graceMs: 1000 });
    const well = await fixture.release({}, { health: { test: ['CMD', 'node', '-e', '0'], ...health } });
    await fixture.platform.ensure(group(well));
    await eventually('it is healthy', async () =>
      (await fixture.platform.list(scope)).find(({ ownHealth }) => ownHealth?.state === 'healthy'),
    );
  });

  test('networks and volumes that do not exist are refused by name before anything is made', async (context) => {
    const fixture = await opened(context);
    const onNetwork = await fixture.release({}, { networks: [{ name: 'there-is-none', aliases: [] }] });
    await assert.rejects(
      fixture.platform.check(onNetwork.run, undefined),
      isFailure('plan.unsupported', /there-is-none/),
    );
    const withVolume = await fixture.release(
      {},
      { mounts: [{ kind: 'volume', source: 'no-such-volume', target: '/data', readOnly: false }] },
    );
    await assert.rejects(
      fixture.platform.check(withVolume.run, undefined),
      isFailure('plan.unsupported', /no-such-volume/),
    );
    const withFile = await fixture.release(
      {},
      { mounts: [{ kind: 'bind', source: '/no/such/directory', target: '/data', readOnly: false }] },
    );
    await assert.rejects(
      fixture.platform.check(withFile.run, undefined),
      isFailure('plan.unsupported', /\/no\/such\/directory/),
    );
    const needs = [{ project: 'nobody', service: 'db', condition: 'healthy' as const }];
    const needing = await fixture.release({}, { needs });
    await assert.rejects(
      fixture.platform.check(needing.run, undefined),
      isFailure('plan.unsupported', /depends on db/),
    );
  });

  test('what the engine itself refuses is told in its own words, and nothing is left', async (context) => {
    const fixture = await opened(context);
    const release = await fixture.release({}, { capAdd: ['NO_SUCH_CAPABILITY'] });
    await assert.rejects(fixture.platform.ensure(group(release)), isFailure('platform.refused', /NO_SUCH_CAPABILITY/));
    const nobody = await fixture.release({ user: 'nobody-here' });
    await assert.rejects(fixture.platform.ensure(group(nobody)), isFailure('instance.command', /nobody-here/));
    assert.deepEqual(await fixture.platform.list(scope), []);
  });

  test('a container that a killed controller made and never started is started by the next one', async (context) => {
    const fixture = await opened(context);
    const release = await fixture.release();
    const killed = fixture.open({
      onStep: (step) => {
        if (step === 'container made') throw new Error('killed here');
      },
    });
    await assert.rejects(killed.ensure(group(release)), /killed here/);
    assert.deepEqual(
      (await fixture.platform.list(scope)).map(({ state, exit }) => [state, exit]),
      [['exited', 'not started yet']],
    );
    const instances = await fixture.platform.ensure(group(release));
    assert.deepEqual(
      instances.map(({ state, restarts }) => [state, restarts]),
      [['running', 0]],
    );
    assert.equal((await fixture.platform.list(scope)).length, 1);
  });

  test('containers of another home, and of nobody, are left alone', async (context) => {
    const [mine, others] = [await opened(context), await opened(context)];
    const release = await mine.release();
    await others.platform.ensure(group(release));
    assert.deepEqual(await mine.platform.list(scope), []);
    await mine.platform.stop({ scope, release: release.id, graceMs: 0 });
    assert.equal((await others.platform.list(scope)).length, 1);
  });

  test('only so many stopped containers are kept for their output', async (context) => {
    const fixture = await opened(context);
    const platform = fixture.open({ keepStopped: 1 });
    const release = await fixture.release();
    for (const _ of [1, 2, 3]) {
      await platform.ensure(group(release));
      await platform.stop({ scope, release: release.id, graceMs: 1000 });
    }
    const left = await docker.listContainers({ all: true, filters: { label: [`sluice.release=${release.id}`] } });
    assert.equal(left.length, 1);
  });
});

describe('docker platform without an engine that works', () => {
  test('no socket, one that nobody listens on, and one without permission are told apart', async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-docker-'));
    context.after(() => rm(directory, { recursive: true, force: true }));
    const fixture = { open: await opener() };
    const nobody = fixture.open(join(directory, 'none.sock'));
    await assert.rejects(nobody.list(scope), isFailure('platform.unreachable', /no such socket/));
    const file = join(directory, 'dead.sock');
    await writeFile(file, '');
    await assert.rejects(fixture.open(file).list(scope), isFailure('platform.unreachable'));
  });

  test('an engine that hangs is given up in time, and can be tried again', async (context) => {
    const { socket } = await hanging(context);
    const platform = (await opener('hasty'))(socket);
    await assert.rejects(platform.list(scope), isFailure('platform.unreachable', /did not answer/));
    await assert.rejects(platform.list(scope), isFailure('platform.unreachable', /did not answer/));
  });

  test('an engine that dies in the middle of an answer fails in time', async (context) => {
    const { socket } = await hanging(context, (connection) => {
      connection.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n[{"Id"');
      setTimeout(() => connection.destroy(), 20);
    });
    const platform = (await opener())(socket);
    await assert.rejects(platform.list(scope), isFailure('platform.unreachable'));
  });

  test('an answer that is not one of the Engine API is refused', async (context) => {
    const { socket } = await hanging(context, (connection) => {
      connection.end(
        'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\nconnection: close\r\n\r\nhuh?',
      );
    });
    const platform = (await opener())(socket);
    await assert.rejects(platform.list(scope), isFailure('platform.failed', /Engine API/));
  });
});

/** A platform on any socket, with limits on time as they are, or a clock on which each is over soon. */
async function opener(limits: 'hasty' | 'real' = 'real') {
  const { createDockerPlatform } = await import('./docker-platform.ts');
  const { realClock } = await import('./fixture.ts');
  const hasty = {
    now: () => realClock.now(),
    sleep: (ms: number, signal?: AbortSignal) => realClock.sleep(Math.min(ms, 200), signal),
  };
  return (path: string) =>
    createDockerPlatform({
      spec: { ...platformSpec, engine: { kind: 'socket', path } },
      owner: 'nobody',
      clock: limits === 'hasty' ? hasty : realClock,
    });
}

async function hanging(
  context: TestContext,
  act: (connection: Socket) => void = () => {},
): Promise<{ socket: string; server: Server }> {
  const socket = join(tmpdir(), `sluice-${randomBytes(6).toString('hex')}.sock`);
  const connections = new Set<Socket>();
  const server = createServer((connection) => {
    connections.add(connection);
    connection.on('error', () => undefined);
    connection.once('data', () => act(connection));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  context.after(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
  return { socket, server };
}
