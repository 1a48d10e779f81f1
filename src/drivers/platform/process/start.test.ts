import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { releaseDirectory } from '../../../base/release-path.ts';
import type { Instance } from '../../../core/instance.ts';
import type { Release, RunSpec } from '../../../core/release.ts';
import { ask, eventually, openFixture, type ProcessFixture, serverProgram } from './fixture.ts';
import type { ProcessPlatformOptions } from './process-platform.ts';

const scope = { service: 'shop', environment: 'production' };

async function fixtureFor(
  context: TestContext,
  options: Partial<ProcessPlatformOptions> = {},
): Promise<ProcessFixture> {
  const fixture = await openFixture(options);
  context.after(() => fixture.close());
  return fixture;
}

async function start(fixture: ProcessFixture, release: Release): Promise<Instance> {
  const [instance] = await fixture.platform.ensure({ scope, release, deployment: 'd-1', instances: 1 });
  assert.ok(instance);
  return instance;
}

async function startAndAsk(fixture: ProcessFixture, release: Release, path: string): Promise<string> {
  const instance = await start(fixture, release);
  return eventually('it answers', () => ask(instance, path));
}

/** The lines of an instance that writes some and ends. */
async function output(fixture: ProcessFixture, release: Release): Promise<string> {
  const instance = await start(fixture, release);
  await eventually('it ended', async () =>
    (await fixture.platform.list(scope)).some(({ state }) => state === 'exited'),
  );
  const query = { scope, instance: instance.id, lastLines: 100, follow: false };
  return (await Array.fromAsync(fixture.platform.logs(query))).map(({ text }) => text).join('\n');
}

async function refused(fixture: ProcessFixture, release: Release, code: string, message: RegExp): Promise<void> {
  const expected = { name: 'Failure', code, message };
  const directory = releaseDirectory(fixture.releasesDirectory, release.id);
  await assert.rejects(fixture.platform.check(release.run, directory), expected);
  await assert.rejects(start(fixture, release), expected);
  assert.deepEqual(await fixture.platform.list(scope), []);
  assert.deepEqual(await readdir(join(fixture.stateDirectory, 'instances')).catch(() => []), []);
}

test('an instance has a small environment: what is inherited, the release’s own and Sluice’s', async (context) => {
  const environment = { PATH: process.env['PATH'], HOME: '/home/x', TZ: 'UTC', SECRET_OF_SLUICE: 'no', SHOP_KEY: 'k1' };
  const fixture = await fixtureFor(context, { environment });
  const file = join(fixture.root, 'password');
  await writeFile(file, 'hunter2\n');
  const release = await fixture.server({
    environment: {
      GREETING: 'hello world',
      PASSWORD: { fromFile: file },
      KEY: { fromEnvironment: 'SHOP_KEY' },
      PORT: '1',
      SLUICE_SERVICE: 'other',
      TZ: 'Europe/Berlin',
    },
  });
  const instance = await start(fixture, release);
  const seen: unknown = JSON.parse(await eventually('it answers', () => ask(instance, '/environment')));
  const { SLUICE_INSTANCE_TOKEN: token, ...rest } = seen as Record<string, string>;
  assert.match(token ?? '', /^[0-9a-f]{32}$/);
  assert.deepEqual(rest, {
    PATH: process.env['PATH'],
    HOME: '/home/x',
    TZ: 'Europe/Berlin',
    HOST: '127.0.0.1',
    GREETING: 'hello world',
    PASSWORD: 'hunter2',
    KEY: 'k1',
    PORT: String(instance.address.port),
    SLUICE_SERVICE: 'shop',
    SLUICE_ENVIRONMENT: 'production',
    SLUICE_RELEASE: release.id,
    SLUICE_INSTANCE: instance.id,
  });
});

test('no secret is written to the state directory', async (context) => {
  const fixture = await fixtureFor(context, { environment: { PATH: process.env['PATH'], KEY: 'sekrit-value' } });
  const release = await fixture.server({ environment: { KEY: { fromEnvironment: 'KEY' } } });
  await startAndAsk(fixture, release, '/');
  for (const entry of await readdir(fixture.stateDirectory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'latin1');
    assert.equal(text.includes('sekrit-value'), false, entry.name);
  }
});

test('a reference that leads nowhere is refused by name, and nothing is started', async (context) => {
  const fixture = await fixtureFor(context);
  const withValue = (value: RunSpec['environment'][string]) => fixture.server({ environment: { KEY: value } });
  const code = 'instance.environment';
  await refused(fixture, await withValue({ fromEnvironment: 'NOT_SET_HERE' }), code, /NOT_SET_HERE is not set.*KEY/);
  await refused(fixture, await withValue({ fromFile: '/nowhere/key' }), code, /\/nowhere\/key does not exist.*KEY/);
  await refused(fixture, await withValue({ fromFile: fixture.root }), code, /is not a file/);
  const nul = join(fixture.root, 'nul');
  await writeFile(nul, 'secret\0rest');
  await refused(fixture, await withValue({ fromFile: nul }), code, /^(?!.*secret).*NUL/);
});

test('the program is looked for in the release first, then on PATH', async (context) => {
  const bin = async (root: string, name: string, says: string): Promise<void> => {
    await mkdir(root, { recursive: true });
    await writeFile(join(root, name), `#!/bin/sh\necho ${says} "$@"\n`);
    await chmod(join(root, name), 0o755);
  };
  const fixture = await fixtureFor(context, { environment: { PATH: '/usr/bin:/bin:/tmp/nowhere' } });
  const path = join(fixture.root, 'bin');
  await bin(path, 'tool', 'from PATH');
  const platform = fixture.open({ environment: { PATH: `${path}:/usr/bin:/bin` } });
  const it = { ...fixture, platform };
  const release = await fixture.release({ data: '' }, { command: ['tool', 'a b', '$HOME'] });
  assert.equal(await output(it, release), 'from PATH a b $HOME');
  await platform.stop({ scope, release: release.id, graceMs: 0 });
  await bin(releaseDirectory(fixture.releasesDirectory, release.id), 'tool', 'from the release');
  assert.equal(await output(it, release), 'from the release a b $HOME');
});

test('a program that cannot be run is refused with the reason, and nothing is started', async (context) => {
  const fixture = await fixtureFor(context);
  const release = await fixture.release({ 'main.cjs': '', 'script.sh': '#!/no/such/interpreter\n' });
  await chmod(join(releaseDirectory(fixture.releasesDirectory, release.id), 'script.sh'), 0o755);
  const withCommand = (...command: string[]): Release => ({ ...release, run: { ...release.run, command } });
  const code = 'instance.command';
  await refused(fixture, withCommand('no-such-program'), code, /no-such-program is neither in the release nor on PATH/);
  await refused(fixture, withCommand('./bin/server'), code, /\.\/bin\/server does not exist/);
  await refused(fixture, withCommand('./main.cjs'), code, /\.\/main\.cjs is not executable/);
  await refused(fixture, withCommand('main.cjs'), code, /main\.cjs is neither in the release nor on PATH/);
  await refused(fixture, withCommand('./script.sh'), code, /needs the interpreter \/no\/such\/interpreter/);
  await refused(fixture, withCommand('/'), code, /is not a file/);
});

test('the working directory lies inside the release, links included', async (context) => {
  const fixture = await fixtureFor(context);
  const release = await fixture.server({ workingDirectory: 'inner', command: [process.execPath, '../main.cjs'] });
  const root = releaseDirectory(fixture.releasesDirectory, release.id);
  await mkdir(join(root, 'inner'));
  await symlink('/tmp', join(root, 'out'));
  assert.equal(await startAndAsk(fixture, release, '/directory'), join(root, 'inner'));
  await fixture.platform.stop({ scope, release: release.id, graceMs: 0 });
  for (const workingDirectory of ['..', '/tmp', 'out', 'absent', 'main.cjs']) {
    const wrong = { ...release, run: { ...release.run, workingDirectory } };
    await assert.rejects(fixture.platform.check(wrong.run, root), { code: 'instance.command' }, workingDirectory);
  }
});

test('a release whose files are gone is release.gone', async (context) => {
  const fixture = await fixtureFor(context);
  const release = { ...(await fixture.server()), id: 'shop@000000000000' };
  await refused(fixture, release, 'release.gone', /release store/);
});

test('an instance that is started again keeps its port while it is free, and gets another when it is not', async (context) => {
  const fixture = await fixtureFor(context);
  const release = await fixture.server();
  const first = await start(fixture, release);
  const restart = async (): Promise<Instance> => {
    await eventually('it ended', async () => (await fixture.platform.list(scope))[0]?.state === 'exited');
    return start(fixture, release);
  };
  await eventually('it answers', () => ask(first));
  await ask(first, '/crash');
  const second = await restart();
  assert.deepEqual(second.address, first.address);
  await eventually('it answers', () => ask(second));
  await ask(second, '/crash');
  await eventually('it ended', async () => (await fixture.platform.list(scope))[0]?.state === 'exited');
  const squatter = createServer().listen(first.address.port, '127.0.0.1');
  await new Promise((resolve) => squatter.once('listening', resolve));
  try {
    const third = await restart();
    assert.notEqual(third.address.port, first.address.port);
    assert.equal(third.id, first.id);
    assert.equal(third.restarts, 2);
  } finally {
    squatter.close();
  }
});

test('when all ports are taken, it says so', async (context) => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => squatter.once('listening', resolve));
  context.after(() => void squatter.close());
  const address = squatter.address();
  assert.ok(typeof address === 'object' && address !== null);
  const fixture = await fixtureFor(context, { ports: { first: address.port, last: address.port } });
  await assert.rejects(start(fixture, await fixture.server()), { code: 'port.taken' });
  assert.deepEqual(await fixture.platform.list(scope), []);
});

test('a failed start leaves no trace, a failed restart leaves the instance as it was', async (context) => {
  const fixture = await fixtureFor(context, { environment: { PATH: process.env['PATH'], SIZE: 'small' } });
  // No check beforehand can see this: the system refuses so large an environment only when the process is started.
  const huge = fixture.open({ environment: { PATH: process.env['PATH'], SIZE: 'x'.repeat(1_000_000) } });
  const files = { 'main.cjs': 'process.exitCode = 4' };
  const release = await fixture.release(files, { environment: { SIZE: { fromEnvironment: 'SIZE' } } });
  const group = { scope, release, deployment: 'd-1', instances: 1 };
  const expected = { code: 'instance.command', message: /larger than the system allows/ };
  await assert.rejects(huge.ensure(group), expected);
  assert.deepEqual(await fixture.platform.list(scope), []);
  const first = await start(fixture, release);
  const before = await eventually('it ended', async () => {
    const listed = await fixture.platform.list(scope);
    return listed[0]?.state === 'exited' && listed;
  });
  await assert.rejects(huge.ensure(group), expected);
  assert.deepEqual(await fixture.platform.list(scope), before);
  const squatter = createServer().listen(first.address.port, '127.0.0.1');
  await new Promise((resolve) => squatter.once('listening', resolve));
  context.after(() => void squatter.close());
  const { port } = first.address;
  await assert.rejects(fixture.open({ ports: { first: port, last: port } }).ensure(group), { code: 'port.taken' });
  assert.deepEqual(await fixture.platform.list(scope), before);
});

const root = process.getuid?.() === 0;

test('a user is taken on by root', { skip: root ? false : 'only root can change the user' }, async (context) => {
  const fixture = await fixtureFor(context);
  const release = await fixture.server({ user: 'nobody' });
  const instance = await start(fixture, release);
  const [uid] = JSON.parse(await eventually('it answers', () => ask(instance, '/user'))) as number[];
  assert.equal(uid, 65_534);
  const seen = JSON.parse((await ask(instance, '/environment')) ?? '') as Record<string, string>;
  assert.equal(seen['USER'], 'nobody');
  await refused(
    await fixtureFor(context),
    { ...release, run: { ...release.run, user: 'no-such-user' } },
    'release.gone',
    /./,
  );
  const unknown = await fixture.server({ user: 'no-such-user' });
  await assert.rejects(fixture.platform.check(unknown.run, fixture.root), {
    code: 'config.invalid',
    message: /no-such-user/,
  });
});

test('a user is refused to everybody else', { skip: root ? 'root may change the user' : false }, async (context) => {
  const fixture = await fixtureFor(context);
  await refused(fixture, await fixture.server({ user: 'nobody' }), 'plan.unsupported', /only root/);
});

test('limits are in force before the program begins', async (context) => {
  const fixture = await fixtureFor(context);
  const limits = { openFiles: 77, memoryBytes: 512 * 1024 * 1024 };
  const release = await fixture.release({ a: '' }, { command: ['/bin/sh', '-c', 'ulimit -n; ulimit -d'], limits });
  assert.equal(await output(fixture, release), '77\n524288');
});

test('a limit that the system cannot set is refused by name', async (context) => {
  const without = await fixtureFor(context, { environment: { PATH: '/nowhere' } });
  const high = await without.server({ limits: { openFiles: 2 ** 40 } });
  await assert.rejects(without.platform.check(high.run, without.root), {
    code: 'plan.unsupported',
    message: /openFiles/,
  });
});

test('without files, what does not need them is checked', async (context) => {
  const fixture = await fixtureFor(context);
  const { run } = await fixture.server({ command: ['there-is-no-such-program'] });
  await fixture.platform.check(run, undefined);
  const environment = { KEY: { fromEnvironment: 'NOT_SET_HERE' } };
  await assert.rejects(fixture.platform.check({ ...run, environment }, undefined), { code: 'instance.environment' });
  const limits = { openFiles: 2 ** 40 };
  await assert.rejects(fixture.platform.check({ ...run, limits }, undefined), { code: 'plan.unsupported' });
});

test('a program that is not a script and not binary is still found out', async (context) => {
  const fixture = await fixtureFor(context);
  const release = await fixture.release(
    { 'main.cjs': serverProgram, server: 'no program at all' },
    { command: ['./server'] },
  );
  await chmod(join(releaseDirectory(fixture.releasesDirectory, release.id), 'server'), 0o755);
  const instance = await start(fixture, release).catch((error: unknown) => error);
  if (instance instanceof Error) {
    assert.match(instance.message, /server/);
    return;
  }
  const [exited] = await eventually('it ended', async () => {
    const listed = await fixture.platform.list(scope);
    return listed[0]?.state === 'exited' && listed;
  });
  assert.match(exited?.exit ?? '', /exit code/);
});
