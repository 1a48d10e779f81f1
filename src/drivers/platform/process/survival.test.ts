import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import type { InstanceGroup } from '../../../core/instance.ts';
import type { RunSpec } from '../../../core/release.ts';
import { ask, crashProgram, eventually, openFixture, type ProcessFixture } from './fixture.ts';
import { InstanceRecords } from './instance-records.ts';
import { systemProcessTable } from './process-table.ts';

const scope = { service: 'shop', environment: 'production' };
const markVariable = 'SLUICE_TEST_MARK';

interface Scene {
  readonly fixture: ProcessFixture;
  readonly group: InstanceGroup;
  /** The processes of the release that run, found by a variable of the release, without the platform. */
  processes(): Promise<readonly number[]>;
}

async function scene(context: TestContext, run: Partial<RunSpec> = {}, program?: string): Promise<Scene> {
  const fixture = await openFixture();
  context.after(() => fixture.close());
  const marked = { environment: { [markVariable]: fixture.root }, ...run };
  const release = await (program === undefined
    ? fixture.server(marked)
    : fixture.release({ 'main.cjs': program }, marked));
  const table = systemProcessTable();
  return {
    fixture,
    group: { scope, release, deployment: 'd-1', instances: 2 },
    processes: async () => {
      const living = (await table.entries()).filter((entry) => !entry.zombie).map((entry) => entry.pid);
      return table.withVariable(living, markVariable, fixture.root);
    },
  };
}

/** Runs a controller process of its own. */
function controller({ fixture, group }: Scene, order: Readonly<Record<string, unknown>>): ChildProcess {
  const { stateDirectory, releasesDirectory } = fixture;
  const text = JSON.stringify({ stateDirectory, releasesDirectory, group, ...order });
  return spawn(process.execPath, [join(import.meta.dirname, 'fixture-controller.ts'), text], { stdio: 'inherit' });
}

async function ended(child: ChildProcess): Promise<unknown> {
  const [code, signal] = await once(child, 'exit');
  return signal ?? code;
}

for (const killAt of ['intent written', 'process started', 'process recorded']) {
  for (const killOn of [1, 2]) {
    test(`a controller killed at "${killAt}" of instance ${killOn} leaves nothing unknown`, async (context) => {
      const it = await scene(context);
      assert.equal(await ended(controller(it, { killAt, killOn })), 'SIGKILL');
      const { platform } = it.fixture;

      const before = await platform.list(scope);
      const running = before.filter((instance) => instance.state === 'running');
      assert.equal(running.length, (await it.processes()).length, 'every process is known');
      assert.equal(before.length, killOn);

      const after = await platform.ensure(it.group);
      assert.deepEqual(
        after.map(({ state }) => state),
        ['running', 'running'],
      );
      for (const each of after) await eventually('it answers', async () => (await ask(each)) === 'ok');
      assert.equal((await it.processes()).length, 2);
      for (const each of running) assert.ok(after.some(({ id, restarts }) => id === each.id && restarts === 0));

      await platform.stop({ scope, release: it.group.release.id, graceMs: 5000 });
      assert.deepEqual(await it.processes(), []);
    });
  }
}

test('stop alone finds the process of a start that was cut off', async (context) => {
  const it = await scene(context);
  await ended(controller(it, { killAt: 'process started' }));
  assert.equal((await it.processes()).length, 1);
  await it.fixture.platform.stop({ scope, release: it.group.release.id, graceMs: 5000 });
  assert.deepEqual(await it.processes(), []);
  assert.deepEqual(await it.fixture.platform.list(scope), []);
});

test('a start that was cut off is found by the process that was started, not by a child in a group of its own', async (context) => {
  const program = `
    const child = require('node:child_process').spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    require('node:http').createServer((_, response) => response.end(String(process.pid))).listen(process.env.PORT);
    process.on('SIGTERM', () => { child.kill(); process.exit(0); });
  `;
  const it = await scene(context, {}, program);
  await ended(controller(it, { killAt: 'process started' }));
  await eventually('the child runs', async () => (await it.processes()).length === 2);
  const [instance] = await it.fixture.platform.list(scope);
  assert.ok(instance);
  const pid = await eventually('it answers', () => ask(instance));
  const [record] = await new InstanceRecords(it.fixture.stateDirectory).all();
  assert.equal(String(record?.process?.pid), pid);
  await it.fixture.platform.stop({ scope, release: it.group.release.id, graceMs: 5000 });
  await eventually('all processes ended', async () => (await it.processes()).length === 0);
});

test('instances outlive their controller and its terminal’s signals', async (context) => {
  const it = await scene(context);
  const first = controller(it, {});
  assert.equal(await ended(first), 0);
  const found = await it.fixture.platform.list(scope);
  assert.deepEqual(
    found.map(({ state }) => state),
    ['running', 'running'],
  );
  const table = systemProcessTable();
  const groups = await Promise.all((await it.processes()).map(async (pid) => (await table.entry(pid))?.group));
  assert.equal(groups.includes((await table.entry(process.pid))?.group), false);
  assert.equal(new Set(groups).size, 2);
});

test('a controller killed while it stops: what ran is listed, and the next stop finishes', async (context) => {
  const it = await scene(context, { command: [process.execPath, 'main.cjs', 'stubborn'] });
  const started = await it.fixture.platform.ensure(it.group);
  for (const each of started) await eventually('it answers', async () => (await ask(each)) === 'ok');
  const stopping = controller(it, { stopGraceMs: 600_000 });
  const records = new InstanceRecords(it.fixture.stateDirectory);
  await eventually('the stop is under way', async () => (await records.all()).every(({ phase }) => phase === 'ending'));
  stopping.kill('SIGKILL');
  await ended(stopping);
  assert.equal((await it.fixture.platform.list(scope)).length, 2);
  await it.fixture.platform.stop({ scope, release: it.group.release.id, graceMs: 50 });
  assert.deepEqual(await it.processes(), []);
  assert.deepEqual(await it.fixture.platform.list(scope), []);
});

test('ensure does not count instances that were asked to end', async (context) => {
  const it = await scene(context, { command: [process.execPath, 'main.cjs', 'stubborn'] });
  const old = await it.fixture.platform.ensure(it.group);
  for (const each of old) await eventually('it answers', async () => (await ask(each)) === 'ok');
  const stopping = it.fixture.platform.stop({ scope, release: it.group.release.id, graceMs: 500 });
  const records = new InstanceRecords(it.fixture.stateDirectory);
  await eventually('the stop is under way', async () => (await records.all()).every(({ phase }) => phase === 'ending'));
  const fresh = await it.fixture.platform.ensure(it.group);
  assert.equal(fresh.length, 2);
  assert.ok(fresh.every(({ id }) => old.every((each) => each.id !== id)));
  await stopping;
  assert.deepEqual(await it.fixture.platform.list(scope), fresh);
});

test('of an instance that ended unwatched the exit is not known, and says so', async (context) => {
  const it = await scene(context);
  await ended(controller(it, {}));
  const [first] = await it.fixture.platform.list(scope);
  assert.ok(first);
  await eventually('it answers', async () => (await ask(first)) === 'ok');
  await ask(first, '/crash');
  const exited = await eventually('it is listed as exited', async () =>
    (await it.fixture.platform.list(scope)).find(({ state }) => state === 'exited'),
  );
  assert.equal(exited.exit, 'not known: it ended while no controller was watching');
});

test('an exit that one controller saw is known to the others', async (context) => {
  const it = await scene(context, {}, crashProgram);
  await it.fixture.platform.ensure(it.group);
  await eventually('both exits are written', async () => {
    const ids = await readdir(join(it.fixture.stateDirectory, 'instances'));
    const written = await Promise.all(
      ids.map((id) => readFile(join(it.fixture.stateDirectory, 'instances', id, 'exit.json')).catch(() => undefined)),
    );
    return written.every((text) => text !== undefined);
  });
  const seen = await it.fixture.open().list(scope);
  assert.deepEqual(
    seen.map(({ exit }) => exit),
    ['exit code 3', 'exit code 3'],
  );
});

test('a process that has the pid of an instance by chance is never touched', async (context) => {
  const it = await scene(context);
  const [instance] = await it.fixture.platform.ensure({ ...it.group, instances: 1 });
  // Processes are told apart by the tick in which they began, and a tick is 10 ms.
  await sleep(30);
  const bystander = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  context.after(() => bystander.kill('SIGKILL'));
  const records = new InstanceRecords(it.fixture.stateDirectory);
  const [record] = await records.all();
  assert.ok(instance && record?.process && bystander.pid !== undefined);
  process.kill(record.process.pid, 'SIGKILL');
  await eventually('it ended', async () => (await it.processes()).length === 0);
  // As if the system had given the pid to another process meanwhile.
  await records.write({ ...record, process: { ...record.process, pid: bystander.pid } });
  const later = it.fixture.open();
  assert.equal((await later.list(scope))[0]?.state, 'exited');
  await later.ensure({ ...it.group, instances: 1 });
  await records.write({ ...record, process: { ...record.process, pid: bystander.pid } });
  await later.stop({ scope, release: it.group.release.id, graceMs: 0 });
  assert.equal(bystander.exitCode ?? bystander.signalCode, null);
  assert.equal((await systemProcessTable().entry(bystander.pid))?.zombie, false);
  // The instance started above is not named by the doctored record any more.
  for (const pid of await it.processes()) process.kill(pid, 'SIGKILL');
});

test('a record of an earlier boot names no process', async (context) => {
  const it = await scene(context);
  await it.fixture.platform.ensure({ ...it.group, instances: 1 });
  const records = new InstanceRecords(it.fixture.stateDirectory);
  const [record] = await records.all();
  assert.ok(record?.process);
  await records.write({ ...record, process: { ...record.process, boot: 'another' } });
  assert.equal((await it.fixture.open().list(scope))[0]?.state, 'exited');
  await it.fixture.platform.stop({ scope, release: it.group.release.id, graceMs: 0 });
  assert.deepEqual(await it.processes(), [record.process.pid], 'it was not ended in the name of another boot');
  await records.write(record);
});

test('what an ended process left running is ended before it is started again, and by stop', async (context) => {
  const program = `
    require('node:child_process').spawn('sleep', ['600'], { stdio: 'ignore' });
    setTimeout(() => process.exit(7), 50);
  `;
  const it = await scene(context, {}, program);
  const group = { ...it.group, instances: 1 };
  const exited = () =>
    eventually('it is listed as exited', async () =>
      (await it.fixture.platform.list(scope)).find(({ state }) => state === 'exited'),
    );
  await it.fixture.platform.ensure(group);
  assert.equal((await exited()).exit, 'exit code 7');
  const [left] = await it.processes();
  assert.ok(left !== undefined, 'the child is left');
  await it.fixture.platform.ensure(group);
  assert.equal((await it.processes()).includes(left), false);
  await exited();
  assert.equal((await it.processes()).length, 1);
  await it.fixture.platform.stop({ scope, release: group.release.id, graceMs: 1000 });
  assert.deepEqual(await it.processes(), []);
});

test('two controller processes at once start no more than is wanted', async (context) => {
  const it = await scene(context);
  const controllers = [controller(it, {}), controller(it, {}), controller(it, {})];
  assert.deepEqual(await Promise.all(controllers.map(ended)), [0, 0, 0]);
  assert.equal((await it.processes()).length, 2);
  assert.equal((await it.fixture.platform.list(scope)).length, 2);
});

test('a killed holder of the lock does not hold it', async (context) => {
  const it = await scene(context);
  // Killed while it holds the lock.
  await ended(controller(it, { killAt: 'intent written' }));
  assert.equal((await it.fixture.platform.ensure(it.group)).length, 2);
});
