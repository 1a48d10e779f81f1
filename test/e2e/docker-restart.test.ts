// A container engine that is restarted, or hangs, in the middle of a canary stage: the deployment waits for it and ends as it should.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { noEngine } from '../docker/engine.ts';
import { noOwnEngine, OwnEngine } from '../docker/own-engine.ts';
import { shopImage } from '../docker/shop.ts';
import { Sandbox } from './support/sandbox.ts';
import { ask, Visitor } from './support/visitors.ts';

const skip = noOwnEngine() || (await noEngine());
const hangsMs = 8_000;

interface Scene {
  readonly engine: OwnEngine;
  readonly sandbox: Sandbox;
  readonly visitor: Visitor;
  /** Resolves with the code and the words of the command, begun when the candidate gets its first requests. */
  readonly ended: Promise<{ readonly code: number | null; readonly told: string }>;
}

/** v1 is stable, and v2 is in its first stage. */
async function inStage(context: TestContext, ...options: readonly string[]): Promise<Scene> {
  const images = await Promise.all(['v1', 'v2'].map((version) => shopImage(version)));
  const [engine, sandbox] = [await OwnEngine.start(...options), await Sandbox.open()];
  context.after(async () => {
    await sandbox.close();
    await engine.close();
  });
  await engine.load(images);
  const configure = (image = ''): Promise<void> =>
    sandbox.configure({
      release: { image },
      port: 8080,
      stopGrace: '3s',
      platform: { docker: { socket: engine.socket, publish: 'off' } },
      gates: { compare: 'off', errorRate: { max: '5%', minSamples: 5 }, availability: 'off', p95: 'off' },
      strategy: { canary: { stages: ['30%', '100%'], hold: { atLeast: '2s', requests: 5 }, keepOld: '0s' } },
    });
  await configure(images[0]);
  const first = await sandbox.sluice('deploy', '--label', 'v1', '--json');
  assert.equal(first.code, 0, `${first.stdout}${first.stderr}`);
  const visitor = new Visitor(sandbox.port);
  context.after(() => visitor.leave());
  await configure(images[1]);
  const deploying = sandbox.start('deploy', '--label', 'v2', '--json');
  let told = '';
  for (const stream of [deploying.stdout, deploying.stderr])
    stream?.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const ended = new Promise<{ readonly code: number | null; readonly told: string }>((resolve) => {
    deploying.once('close', (code) => resolve({ code, told }));
  });
  while (!told.includes('"to":"CANARY_WAITING"') && deploying.exitCode === null) await sleep(20);
  return { engine, sandbox, visitor, ended };
}

async function assertDeployed({ engine, sandbox, visitor, ended }: Scene): Promise<void> {
  const { code, told } = await ended;
  assert.equal(code, 0, told);
  await visitor.leave();
  assert.deepEqual(visitor.failures, []);
  assert.equal(await ask(sandbox.port), 'v2');
  assert.equal((await engine.releases()).length, 1);
}

describe('a container engine of its own', { skip, timeout: 300_000 }, () => {
  it('restarted in the middle of a stage, with containers that live on, delays and fails no request', async (context) => {
    const scene = await inStage(context, '--live-restore');
    await scene.engine.stop();
    await scene.engine.start();
    await assertDeployed(scene);
  });

  it('that hangs in the middle of a stage delays and fails no request', async (context) => {
    const scene = await inStage(context);
    scene.engine.freeze();
    await sleep(hangsMs);
    scene.engine.thaw();
    await assertDeployed(scene);
  });
});
