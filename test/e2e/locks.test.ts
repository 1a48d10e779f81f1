// Two deployments of one service and environment at once: the second is refused and told by whom, since when and what to do; the dead hold no lock.

import assert from 'node:assert/strict';
import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { placesUnder } from '../../src/places.ts';
import type { Rollout } from '../../src/core/rollout/rollout.ts';
import type { Scope } from '../../src/core/scope.ts';
import type { Holder, Lease } from '../../src/ports/store.ts';
import { openSqliteStore } from '../../src/drivers/store/sqlite/driver.ts';
import { freePort } from '../free-port.ts';
import { failureIn, type Ran, Sandbox } from './support/sandbox.ts';

const locked = 4;

describe('the lock of a service and environment', { concurrency: 2, timeout: 120_000 }, () => {
  it('is told of when two command lines deploy at once', async (context) => {
    const sandbox = await opened(context);
    const first = sandbox.start('deploy', '--label', 'v1');
    const lease = await leaseOf(sandbox);
    await assertRefused(sandbox, lease, first);
    await assertRefusedInWords(sandbox, lease);
    // Whoever cannot reach the first finds the lock in the store they share.
    await rm(placesUnder(sandbox.home).socket);
    await assertRefused(sandbox, lease, first);
    await letGo(sandbox, first);
  });

  it('lets exactly one of two through that begin in the same moment', async (context) => {
    const sandbox = await opened(context);
    const both = [sandbox.sluice('deploy', '--json'), sandbox.sluice('deploy', '--json')] as const;
    const refused = await Promise.race(both);
    assert.equal(refused.code, locked, refused.stdout + refused.stderr);
    assert.equal(failureIn(refused).code, 'deployment.locked');
    await sandbox.write('well', '');
    const codes = (await Promise.all(both)).map((ran) => ran.code ?? -1);
    assert.deepEqual(
      codes.toSorted((a, b) => a - b),
      [0, locked],
    );
  });

  it('is told of by a server, whose deployment holds it', async (context) => {
    const sandbox = await opened(context);
    const server = sandbox.start('server', '--listen', '127.0.0.1:0', '--json');
    if (server.stdout === null) throw new Error('the server has no output');
    await once(server.stdout, 'data');
    server.stdout.resume();
    const first = sandbox.start('deploy', '--label', 'v1');
    const lease = await leaseOf(sandbox);
    assert.equal(lease.holder.pid, server.pid);
    await assertRefused(sandbox, lease, server);
    await letGo(sandbox, first);
  });

  it('is held for another environment too, by a command that then stays until both have ended', async (context) => {
    const sandbox = await opened(context);
    const environment = async (name: string) => ({
      env: { WELL: `${sandbox.directory}/well-${name}` },
      router: { embedded: { listen: `127.0.0.1:${await freePort()}` } },
    });
    const environments = { staging: await environment('staging'), production: await environment('production') };
    await sandbox.configure({ environments });
    const staging = sandbox.start('deploy', '-e', 'staging');
    const held = await leaseOf(sandbox, { service: 'shop', environment: 'staging' });
    const production = sandbox.start('deploy', '-e', 'production');
    assert.deepEqual((await leaseOf(sandbox)).holder, held.holder);
    await sandbox.write('well-staging', '');
    if (staging.stderr === null) throw new Error('there is no output');
    const [said] = (await once(staging.stderr, 'data')) as [Buffer];
    assert.match(said.toString(), /also carries out d-\S+ of shop\/production .* stays until/);
    production.stdout?.resume();
    staging.stdout?.resume();
    await sandbox.write('well-production', '');
    await Promise.all([once(staging, 'exit'), once(production, 'exit')]);
    assert.deepEqual([staging.exitCode, production.exitCode], [0, 0]);
  });

  it('ends with its holder', async (context) => {
    const sandbox = await opened(context);
    const first = sandbox.start('deploy', '--label', 'v1');
    await leaseOf(sandbox);
    first.kill('SIGKILL');
    await once(first, 'exit');
    await sandbox.write('well', '');
    const second = await sandbox.sluice('deploy', '--label', 'v2', '--json');
    assert.equal(second.code, 0, second.stdout + second.stderr);
    const history = await sandbox.sluice('history', '--json');
    assert.match(history.stdout, /"ROLLED_BACK"/, 'what the dead one had begun was brought back first');
  });

  it('ends by itself where nobody can tell whether its holder lives', async (context) => {
    const sandbox = await opened(context);
    await sandbox.write('well', '');
    const holder: Holder = { controller: 'c-far', host: 'another-machine', pid: 4711, started: 'then' };
    const store = openSqliteStore({ file: sandbox.store });
    context.after(() => store.close());
    const { scope } = sandbox;
    const { lease } = await store.lease({ kind: 'acquire', scope, holder, now: Date.now(), forMs: 3_600_000 });
    const refused = await sandbox.sluice('deploy', '--json');
    assert.equal(refused.code, locked, refused.stdout + refused.stderr);
    assert.match(failureIn(refused).message, /c-far \(process 4711 on another-machine\)/);
    // Renewed for the last time, for a moment.
    await store.lease({ kind: 'renew', scope, fence: lease?.fence ?? 0, now: Date.now(), forMs: 500 });
    await until(async () => (await sandbox.sluice('deploy', '--json')).code === 0);
  });

  it('does not outlive a clock that was set back', async (context) => {
    const sandbox = await opened(context);
    await sandbox.write('well', '');
    const holder: Holder = { controller: 'c-future', host: 'another-machine', pid: 4711, started: 'then' };
    const store = openSqliteStore({ file: sandbox.store });
    context.after(() => store.close());
    const { scope } = sandbox;
    // Taken when the clock was a day ahead: it would hold until tomorrow.
    await store.lease({ kind: 'acquire', scope, holder, now: Date.now() + 86_400_000, forMs: 1_000 });
    assert.equal((await sandbox.sluice('deploy', '--json')).code, locked);
    await until(async () => (await sandbox.sluice('deploy', '--json')).code === 0);
  });
});

/** A release that does not become healthy before the file `well` is there: its deployment holds the lock until then. */
async function opened(context: TestContext): Promise<Sandbox> {
  const sandbox = await Sandbox.open();
  context.after(() => sandbox.close());
  await sandbox.release('v1');
  await sandbox.configure({ env: { WELL: `${sandbox.directory}/well` } });
  return sandbox;
}

/** As soon as a deployment holds it and waits for its instance to become healthy. */
async function leaseOf(sandbox: Sandbox, scope: Scope = sandbox.scope): Promise<Lease> {
  const store = openSqliteStore({ file: sandbox.store });
  try {
    for (;;) {
      const [state] = await store.scopes(scope);
      if (state?.lease !== undefined && (await isStarting(sandbox, state.active))) return state.lease;
      await sleep(20);
    }
  } finally {
    store.close();
  }
}

async function isStarting({ home }: Sandbox, active: Rollout | undefined): Promise<boolean> {
  if (active?.status !== 'DEPLOYING') return false;
  const instances = await readdir(join(placesUnder(home).instances, 'instances')).catch(() => []);
  return instances.length > 0;
}

async function assertRefused(sandbox: Sandbox, lease: Lease, holder: ChildProcess): Promise<void> {
  const before = await sandbox.traces();
  const refused = await sandbox.sluice('deploy', '--json');
  assert.equal(refused.code, locked, refused.stdout + refused.stderr);
  const failure = failureIn(refused);
  assert.equal(failure.code, 'deployment.locked');
  assert.equal(failure.at, 'shop/production');
  const { details } = failure;
  assert.deepEqual(details?.['holder'], lease.holder);
  assert.equal(lease.holder.pid, holder.pid);
  assert.ok(Math.abs(Number(details?.['since']) - lease.since) < 5_000, 'since when is not when it was taken');
  assert.match(String(details?.['deployment']), /^d-/);
  assert.match(failure.remedy, /sluice status --watch/);
  assert.deepEqual(await sandbox.traces(), before);
}

async function assertRefusedInWords(sandbox: Sandbox, lease: Lease): Promise<void> {
  const refused = await sandbox.sluice('deploy');
  assert.equal(refused.code, locked);
  assert.equal(refused.stdout, '');
  const words = refused.stderr.replaceAll(/\s+/g, ' ');
  assert.ok(words.includes(`process ${lease.holder.pid} on ${lease.holder.host}`), words);
  assert.match(words, /deployment d-\S+ of shop@\w+, ordered by \S+, now (?:BUILDING|DEPLOYING)/);
  assert.match(words, /since (?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d, \S+ ago/);
  assert.match(words, /do Follow it with `sluice status --watch`; end it with `sluice abort`/);
}

async function letGo(sandbox: Sandbox, first: ChildProcess): Promise<void> {
  first.stdout?.resume();
  await sandbox.write('well', '');
  if (first.exitCode === null) await once(first, 'exit');
  assert.equal(first.exitCode, 0);
  const again: Ran = await sandbox.sluice('deploy', '--json');
  assert.equal(again.code, 0, again.stdout + again.stderr);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error('waited in vain');
    await sleep(100);
  }
}
