// A container engine that is restarted, or hangs, in the middle of a canary stage: the deployment waits for it and ends in good order.

import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { noEngine } from '../docker/engine.ts';
import { noOwnEngine, OwnEngine } from '../docker/own-engine.ts';
import { shopImage } from '../docker/shop.ts';
import { Sandbox } from './support/sandbox.ts';
import { ask, Visitor } from './support/visitors.ts';

const skip = noOwnEngine() || (await noEngine());
const hangsMs = 8_000;

/** An engine that has both versions. */
interface Prepared {
  readonly engine: OwnEngine;
  readonly images: readonly string[];
}

interface Scene {
  readonly sandbox: Sandbox;
  readonly visitor: Visitor;
  /** Resolves with the code and the words of the command, begun when the candidate gets its first requests. */
  readonly ended: Promise<{ readonly code: number | null; readonly told: string }>;
}

/** v1 is stable, and v2 is in its first stage. */
async function inStage(context: TestContext, { engine, images }: Prepared): Promise<Scene> {
  const sandbox = await Sandbox.open();
  context.after(async () => {
    await sandbox.close();
    engine.thaw();
    await engine.clear();
  });
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
  return { sandbox, visitor, ended };
}

async function assertDeployed({ sandbox, visitor, ended }: Scene, engine: OwnEngine): Promise<void> {
  const { code, told } = await ended;
  assert.equal(code, 0, told);
  await visitor.leave();
  assert.deepEqual(visitor.failures, []);
  assert.equal(await ask(sandbox.port), 'v2');
  assert.equal((await engine.releases()).length, 1);
}

describe('a container engine of its own', { skip, timeout: 300_000 }, () => {
  const opened: OwnEngine[] = [];
  let there: Prepared;
  before(async () => {
    const images = await Promise.all(['v1', 'v2'].map((version) => shopImage(version)));
    const engine = await OwnEngine.make();
    opened.push(engine);
    await engine.start('--live-restore');
    await engine.load(images);
    there = { engine, images };
  });
  after(async () => {
    for (const engine of opened) await engine.close();
  });

  it('restarted in the middle of a stage, with containers that live on, delays and fails no request', async (context) => {
    const { engine } = there;
    const scene = await inStage(context, there);
    await engine.stop();
    await engine.start('--live-restore');
    await assertDeployed(scene, engine);
  });

  it('that hangs in the middle of a stage delays and fails no request', async (context) => {
    const { engine } = there;
    const scene = await inStage(context, there);
    await engine.freeze();
    await sleep(hangsMs);
    engine.thaw();
    await assertDeployed(scene, engine);
  });

  it('restarted with all its containers ends with one release that serves', async (context) => {
    const { engine } = there;
    await engine.stop();
    await engine.start();
    const { sandbox, visitor, ended } = await inStage(context, there);
    await visitor.leave();
    await engine.stop();
    await engine.start();
    const { code, told } = await ended;
    assert.ok(code === 0 || /"status":"ROLLED_BACK"/.test(told), told);
    const releases = await engine.releases();
    assert.equal(releases.length, 1, releases.join());
    // Nobody looks after it any more, but it may just be starting.
    const wanted = code === 0 ? 'v2' : 'v1';
    let answer = '';
    for (let tries = 0; answer !== wanted && tries < 200; tries += 1) {
      answer = await ask(sandbox.port).catch(String);
      if (answer !== wanted) await sleep(50);
    }
    assert.equal(answer, wanted);
  });
});
