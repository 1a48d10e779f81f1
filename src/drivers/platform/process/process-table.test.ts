import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { eventually } from './fixture.ts';
import {
  isRunning,
  parsePs,
  parseStat,
  type ProcessEntry,
  type ProcessTable,
  systemProcessTable,
} from './process-table.ts';
import { findByToken } from './recovery.ts';

test('a line of /proc/<pid>/stat is read whatever the program is called', () => {
  const rest = '3314 3316 3316 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 11 0 182324 3133440 417 18446744073709551615 1 1 0';
  for (const name of ['node', 'a b', ') S 1 2 (', '(x))', 'a\nb', '']) {
    const expected = { pid: 3316, parent: 3314, group: 3316, startTime: '182324', zombie: false };
    assert.deepEqual(parseStat(`3316 (${name}) S ${rest}`), expected);
  }
  assert.equal(parseStat(`3316 (node) Z ${rest}`)?.zombie, true);
  assert.equal(parseStat(`3316 (node) X ${rest}`)?.zombie, true);
  assert.equal(parseStat(''), undefined);
});

test('a line of ps is read', () => {
  assert.deepEqual(parsePs('  81  80  81 Ss+  Sat Nov 21 06:01:16 2026   '), {
    pid: 81,
    parent: 80,
    group: 81,
    startTime: 'Sat Nov 21 06:01:16 2026',
    zombie: false,
  });
  assert.equal(parsePs(' 5 1 5 Z+ Sat Nov  1 06:01:16 2026')?.zombie, true);
  assert.equal(parsePs(''), undefined);
});

for (const platform of ['linux', 'darwin'] as const) {
  const skip = platform === 'linux' && process.platform !== 'linux' ? 'there is no /proc here' : false;

  test(
    `the process table as read on ${platform} knows a process from its start to its end`,
    { skip },
    async (context) => {
      const table = systemProcessTable(platform);
      const environment = { PATH: process.env['PATH'], SLUICE_TEST: 'a b=c' };
      const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env: environment });
      context.after(() => child.kill('SIGKILL'));
      await once(child, 'spawn');
      const pid = child.pid ?? 0;
      const entry = await table.entry(pid);
      assert.ok(entry);
      assert.deepEqual(
        { ...entry, startTime: '' },
        { pid, parent: process.pid, group: pid, startTime: '', zombie: false },
      );
      assert.deepEqual(
        (await table.entries()).find((each) => each.pid === pid),
        entry,
      );
      assert.deepEqual(await table.withVariable([process.pid, pid], 'SLUICE_TEST', 'a b=c'), [pid]);
      assert.deepEqual(await table.withVariable([process.pid, pid], 'SLUICE_TEST', 'a b='), []);
      const identity = { pid, startTime: entry.startTime, boot: await table.boot() };
      assert.equal(await isRunning(table, identity), true);
      assert.equal(await isRunning(table, { ...identity, startTime: 'another' }), false);
      assert.equal(await isRunning(table, { ...identity, boot: 'another' }), false);
      child.kill('SIGKILL');
      await eventually('it is gone', async () => !(await isRunning(table, identity)));
    },
  );
}

test('an ended process that nobody asks for its exit code does not run', async (context) => {
  // When the child ends, its parent is no shell any more but a program that knows nothing of it.
  const parent = spawn('/bin/sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  context.after(() => parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(String(line).trim());
  const table = systemProcessTable();
  const entry = await eventually('it is a zombie', async () => {
    const found = await table.entry(pid);
    return found?.zombie === true && found;
  });
  assert.equal(await isRunning(table, { pid, startTime: entry.startTime, boot: await table.boot() }), false);
});

test('a process that does not carry its token yet is waited for, a start that never came about is not', async () => {
  const entry: ProcessEntry = { pid: 7, parent: 1, group: 7, startTime: '70', zombie: false };
  let looks = 0;
  const tableWith = (carriesFrom: number): ProcessTable => ({
    boot: async () => 'b',
    entry: async () => entry,
    entries: async () => [entry],
    withVariable: async (pids) => ((looks += 1) >= carriesFrom ? pids : []),
  });
  const clock = { now: () => 0, sleep: async () => {} };
  assert.deepEqual(await findByToken(tableWith(3), clock, 't'), { pid: 7, startTime: '70', boot: 'b' });
  looks = 0;
  assert.equal(await findByToken(tableWith(Infinity), clock, 't'), undefined);
  assert.ok(looks > 1 && looks < 20);
});

test('of several that carry the token, the leader whose parent does not is the one', async () => {
  const entries: readonly ProcessEntry[] = [
    { pid: 3, parent: 50, group: 3, startTime: '9', zombie: false },
    { pid: 50, parent: 1, group: 50, startTime: '8', zombie: false },
    { pid: 51, parent: 50, group: 50, startTime: '8', zombie: false },
  ];
  const table: ProcessTable = {
    boot: async () => 'b',
    entry: async () => undefined,
    entries: async () => entries,
    withVariable: async (pids) => pids,
  };
  const clock = { now: () => 0, sleep: async () => {} };
  assert.equal((await findByToken(table, clock, 't'))?.pid, 50);
});
