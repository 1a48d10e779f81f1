// The demo keeps its promises, and leaves nothing behind however it ends.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Summary } from '../../src/demo/summary.ts';
import type { DeploymentDetail } from '../../src/engine/controller.ts';
import { programPath } from '../package/program.ts';

const patienceMs = 180_000;

interface Demo {
  readonly child: ChildProcess;
  /** Where it keeps its files; what it starts has this directory in its environment or arguments. */
  readonly directory: string;
  text(): string;
  readonly exit: Promise<readonly [number | null, NodeJS.Signals | null]>;
}

async function startDemo(context: TestContext): Promise<Demo> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-demo-test-'));
  const child = spawn(process.execPath, [programPath, 'demo'], {
    env: { ...process.env, TMPDIR: directory, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  // A command of the demo that outlives it holds the pipe, so the exit is what counts.
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  context.after(async () => {
    child.kill('SIGTERM');
    await exit;
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  return { child, directory, text: () => text, exit };
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  while (!(await holds())) {
    assert.ok(performance.now() < giveUpAt, `waited in vain: ${what}`);
    await wait(50);
  }
}

/** Processes of this machine that have the directory in their arguments or environment, as `pid arguments`. */
async function processesOf(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const [line, environment, cwd] = [
      await read('cmdline'),
      await read('environ'),
      await readlink(`/proc/${pid}/cwd`).catch(() => ''),
    ];
    const ours = [line, environment, cwd].some((text) => text.includes(directory));
    if (ours) found.push(`${pid} ${line.replaceAll('\0', ' ')}`);
  }
  return found;
}

/** What the demo made and what runs from it, its record and Node's own cache left out. */
async function leftBy({ directory }: Demo): Promise<readonly string[]> {
  const kept = /^(?:sluice-record-|node-compile-cache$)/;
  const files = (await readdir(directory)).filter((name) => !kept.test(name));
  return [...files, ...(await processesOf(directory))];
}

const noProc = process.platform === 'linux' ? false : 'missing: /proc, by which left-over processes are found';

describe('the demo', { skip: noProc, timeout: 3 * patienceMs }, () => {
  it('deploys, breaks and saves a service, loses no request, and leaves only its record', async (context) => {
    const demo = await startDemo(context);
    const [code] = await demo.exit;
    const text = demo.text();
    assert.equal(code, 0, text);
    assert.match(text, /failed because of the deploying +0\n/);
    assert.match(text, /✓ All \d+ promises were kept\./);
    assert.doesNotMatch(text, /^┃ ✗/m);
    assert.ok(!text.includes('\u001b'), 'colours are for terminals');
    assert.deepEqual(await leftBy(demo), []);

    const file = /^┃ (\/.*demo\.json)$/m.exec(text)?.[1] ?? assert.fail(text);
    const record = JSON.parse(await readFile(file, 'utf8')) as { summary: Summary; deployments: DeploymentDetail[] };
    const { summary, deployments } = record;
    assert.ok(summary.requests > 500, `${summary.requests} requests`);
    assert.equal(summary.failed, 0);
    assert.ok(summary.badCanary.errors > 0 && summary.badCanary.errors < 50, JSON.stringify(summary.badCanary));
    assert.ok(summary.backMs !== undefined && summary.rollbackMs !== undefined);
    assert.ok((summary.withoutController?.requests ?? 0) > 0);
    assert.deepEqual(
      deployments.map(({ rollout }) => `${rollout.plan.strategy} ${rollout.plan.candidate.label} ${rollout.status}`),
      [
        'first v1 VERIFIED',
        'blue-green v2 VERIFIED',
        'canary v3 VERIFIED',
        'canary v4 ROLLED_BACK',
        'canary v5 ROLLED_BACK',
        'canary v6 VERIFIED',
        'rollback v3 VERIFIED',
        'blue-green v7 VERIFIED',
        'rollback v3 VERIFIED',
      ],
    );
  });

  it('ends and removes everything on Ctrl-C', async (context) => {
    const demo = await startDemo(context);
    await until('the load runs', () => demo.text().includes('sluice deploy --label v2'));
    assert.notDeepEqual(await leftBy(demo), []);
    demo.child.kill('SIGINT');
    const [code] = await demo.exit;
    assert.equal(code, 130, demo.text());
    assert.deepEqual(await leftBy(demo), []);
  });

  it('is cleaned up after a kill -9, too', async (context) => {
    const demo = await startDemo(context);
    await until('the load runs', () => demo.text().includes('sluice deploy --label v2'));
    demo.child.kill('SIGKILL');
    await demo.exit;
    await until('nothing is left', async () => (await leftBy(demo)).length === 0);
  });
});
