import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { standStill } from '../../../../../test/stand-still.ts';
import { withoutHaproxy } from '../../../../../test/programs/haproxy.ts';
import { Failure } from '../../../../base/failure.ts';
import type { Clock } from '../../../../ports/clock.ts';
import { systemClock } from '../../../clock/system-clock.ts';
import { createHaproxyRouter } from '../driver.ts';
import { Bench, get, group, routesOf, scope } from '../harness.ts';
import { withDirectoryLock } from './directory-lock.ts';

const notLinux = process.platform !== 'linux' && 'only Linux tells who has a lock';

/** Each wait takes a hundred times as long as it really does; told of each. */
function fastClock(onSleep: (now: number) => void = () => undefined): Clock {
  let now = 0;
  return {
    now: () => now,
    sleep: async (durationMs, signal) => {
      now += durationMs * 100;
      onSleep(now);
      await systemClock.sleep(durationMs, signal);
    },
  };
}

function isHeldBy(pid: number, waitedMs: number, remedy: RegExp): (thrown: unknown) => boolean {
  return (thrown) =>
    thrown instanceof Failure &&
    thrown.code === 'router.unreachable' &&
    thrown.message.includes(` ${pid} `) &&
    thrown.message.includes(` ${waitedMs / 1000} s `) &&
    remedy.test(thrown.remedy) &&
    thrown.remedy.includes(`kill -9 ${pid}`);
}

/** Resolves with the process id that a program wrote. */
async function pidIn(path: string): Promise<number> {
  for (;;) {
    const pid = Number(await readFile(path, 'utf8').catch(() => ''));
    if (pid > 0) return pid;
    await sleep(5);
  }
}

it(
  'a controller that was stopped in the middle of a change is named to the next one, and its end lets that go on',
  { skip: notLinux || withoutHaproxy },
  async (context) => {
    const bench = new Bench();
    context.after(() => bench.end());
    const { router, spec, haproxy } = await bench.router();
    const [old, fresh] = [await bench.instance('old'), await bench.instance('new')];
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    // The other one is stopped while it waits for this check, with everything before its change done and the change to come.
    const checking = join(haproxy.directory, 'checking');
    const check = ['sh', '-c', 'echo $$ > "$0"; exec sleep 600', checking];
    const rules = [{ release: 'new', match: { header: 'x-canary', equals: 'yes' } }];
    const routes = routesOf(2, [group('new', 10_000, fresh)], { rules });
    const driver = JSON.stringify(new URL('../driver.ts', import.meta.url));
    const clock = JSON.stringify(new URL('../../../clock/system-clock.ts', import.meta.url));
    const program = `import { createHaproxyRouter } from ${driver};
import { systemClock } from ${clock};
const router = createHaproxyRouter({ spec: ${JSON.stringify({ ...spec, check })}, clock: systemClock });
await router.apply(${JSON.stringify(routes)});`;
    const other = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], { stdio: 'inherit' });
    context.after(() => other.kill('SIGKILL'));
    const pid = other.pid ?? 0;
    const checker = await pidIn(checking);
    context.after(() => process.kill(checker, 'SIGKILL'));
    await standStill(pid);

    const back = createHaproxyRouter({ spec, clock: fastClock() });
    const routesBack = routesOf(3, [group('old', 10_000, old)]);
    await assert.rejects(back.apply(routesBack), isHeldBy(pid, 10_000, /kill -CONT/));
    await assert.rejects(back.remove(scope), isHeldBy(pid, 10_000, /kill -CONT/));
    assert.equal((await get(spec.listen)).body, 'old');
    const ended = new Promise((resolve) => {
      other.once('exit', resolve);
    });
    process.kill(pid, 'SIGKILL');
    await ended;
    await back.apply(routesBack);
    assert.equal((await back.read(scope))?.revision, 3);
  },
);

it('a controller that goes on is waited for', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
  context.after(() => rm(directory, { recursive: true }));
  const done = Promise.withResolvers<undefined>();
  const first = withDirectoryLock(directory, systemClock, () => done.promise);
  // However long: it would be told to end itself.
  const patient = fastClock((now) => {
    if (now > 400_000) done.resolve(undefined);
  });
  assert.equal(await withDirectoryLock(directory, patient, async () => 'second'), 'second');
  await first;
});

it('one that never comes to an end is named as well', { skip: notLinux }, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
  context.after(() => rm(directory, { recursive: true }));
  const path = join(directory, '.sluice.lock');
  const program = `import { takeFileLock } from ${JSON.stringify(new URL('../../../../base/file-lock.ts', import.meta.url))};
globalThis.release = takeFileLock(${JSON.stringify(path)});
console.log(globalThis.release === undefined ? 'refused' : 'taken');
setInterval(() => undefined, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', program]);
  context.after(() => holder.kill('SIGKILL'));
  const [said] = (await once(holder.stdout, 'data')) as [Buffer];
  assert.equal(said.toString().trim(), 'taken');
  const waiting = withDirectoryLock(directory, fastClock(), async () => undefined);
  await assert.rejects(waiting, isHeldBy(holder.pid ?? 0, 300_000, /what it waits for/));
});

it('another process does not get what one change of this process has and another one waits for', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
  context.after(() => rm(directory, { recursive: true }));
  const path = JSON.stringify(join(directory, '.sluice.lock'));
  const program = `import { DatabaseSync } from 'node:sqlite';
new DatabaseSync(${path}).exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');`;
  const other = (): Promise<unknown> => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  let second: Promise<unknown> | undefined;
  await withDirectoryLock(directory, systemClock, async () => {
    second = withDirectoryLock(directory, systemClock, async () => undefined);
    await assert.rejects(other(), /database is locked/);
  });
  await second;
  await other();
});
