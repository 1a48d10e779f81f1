// Containers behind a HAProxy in a container, as a person runs it from the command line, and the example that shows it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

import { noEngine } from '../docker/engine.ts';
import { nodeImage, removeLabelled } from '../docker/image.ts';
import { type Fault, shopImage } from '../docker/shop.ts';
import { freePort } from '../free-port.ts';
import { programPath } from '../package/program.ts';
import { HaproxyContainer, haproxyImage, withoutContainers } from '../programs/haproxy-container.ts';
import { withoutHaproxy } from '../programs/haproxy.ts';
import { comeAndGo } from './support/come-and-go.ts';
import { done, type Ran, Sandbox } from './support/sandbox.ts';
import { ask, Visitor } from './support/visitors.ts';

const skip = withoutHaproxy !== false ? withoutHaproxy : (await noEngine()) || (await withoutContainers());
const example = fileURLToPath(new URL('../../examples/docker-haproxy/', import.meta.url));

interface Place {
  readonly sandbox: Sandbox;
  readonly haproxy: HaproxyContainer;
  readonly configure: (version: string, changes?: object, fault?: Fault) => Promise<void>;
  readonly deploy: (version: string, changes?: object, fault?: Fault) => Promise<Ran>;
}

async function opened(context: TestContext): Promise<Place> {
  const sandbox = await Sandbox.open();
  const mark = randomBytes(6).toString('hex');
  const haproxy = await HaproxyContainer.start();
  context.after(async () => {
    await removeLabelled(`sluice.test=${mark}`);
    await haproxy.end();
    await sandbox.close();
  });
  const feed = await freePort();
  const configure = async (version: string, changes: object = {}, fault: Fault = 'none'): Promise<void> =>
    sandbox.configure({
      release: { image: await shopImage(version, fault) },
      port: 8080,
      stopGrace: '3s',
      platform: { docker: { labels: { 'sluice.test': mark } } },
      gates: { compare: 'off', errorRate: 'off', availability: 'off', p95: 'off' },
      router: {
        haproxy: {
          listen: `127.0.0.1:${sandbox.port}`,
          directory: haproxy.own,
          socket: haproxy.socket,
          reload: { container: haproxy.name },
          feed: `127.0.0.1:${feed}`,
        },
      },
      ...changes,
    });
  const deploy = async (version: string, changes?: object, fault?: Fault): Promise<Ran> => {
    await configure(version, changes, fault);
    return sandbox.sluice('deploy', '--label', version, '--json');
  };
  return { sandbox, haproxy, configure, deploy };
}

const canary = (atLeast: string): object => ({
  strategy: { canary: { stages: ['30%', '100%'], hold: { atLeast, requests: 5 }, keepOld: '0s' } },
});

describe('docker and HAProxy', { skip, timeout: 600_000 }, () => {
  it('blue-green, canary, rollback and a bad release lose no request', async (context) => {
    const { sandbox, deploy } = await opened(context);
    const gates = { compare: 'off', errorRate: { max: '5%', minSamples: 5 }, availability: 'off', p95: 'off' };
    await comeAndGo(context, { sandbox, deploy, canary: canary('300ms'), judged: { ...canary('1s'), gates } });
  });

  it('the container of HAProxy killed in the middle of a stage is told, and the deployment goes on when it is back', async (context) => {
    const { sandbox, haproxy, configure, deploy } = await opened(context);
    done(await deploy('v1'));
    await configure('v2', canary('2s'));
    const deploying = sandbox.start('deploy', '--label', 'v2', '--json');
    const ended = new Promise<number | null>((resolve) => {
      deploying.once('exit', resolve);
    });
    let told = '';
    deploying.stdout?.on('data', (chunk: Buffer) => (told += chunk.toString()));
    // The plan, which comes first, names the state too.
    while (!told.includes('"to":"CANARY_WAITING"')) await sleep(50);
    await haproxy.kill();
    const log = `${sandbox.home}/controller.log`;
    while (!/the router does not answer|HAProxy’s Runtime API does not answer/.test(await readFile(log, 'utf8')))
      await sleep(50);
    await haproxy.startAgain();
    const visitor = new Visitor(sandbox.port);
    context.after(() => visitor.leave());
    assert.equal(await ended, 0, told);
    await visitor.leave();
    assert.deepEqual(visitor.failures, []);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('the example deploys, goes back, and fails no request', async (context) => {
    const name = `sluice-test-example-${randomBytes(4).toString('hex')}`;
    context.after(() => removeLabelled(`sluice.example=${name}`));
    const { stdout } = await promisify(execFile)(`${example}run.sh`, [], {
      timeout: 300_000,
      env: {
        ...process.env,
        SLUICE: `${process.execPath} ${programPath}`,
        NODE_IMAGE: await nodeImage(),
        HAPROXY_IMAGE: await haproxyImage(),
        NAME: name,
        PORT: String(await freePort()),
        FEED_PORT: String(await freePort()),
      },
    });
    const [, served, failed] = /(\d+) requests were served, (\d+) failed/.exec(stdout) ?? [];
    assert.ok(Number(served) > 50, stdout);
    assert.equal(failed, '0');
  });
});
