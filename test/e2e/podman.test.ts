// A service in containers of Podman, from its first release to a rollback: the same settings as with Docker, and another socket.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { noEngine } from '../docker/engine.ts';
import { noPodman, OwnPodman } from '../docker/own-podman.ts';
import { shopImage } from '../docker/shop.ts';
import { calm, done, Sandbox } from './support/sandbox.ts';
import { ask, Visitor } from './support/visitors.ts';

// Its images come from the engine of the other tests.
const skip = noPodman() || (await noEngine());

const canary = {
  strategy: { canary: { stages: ['30%', '100%'], hold: { atLeast: '300ms', requests: 5 }, keepOld: '0s' } },
  gates: { compare: calm, errorRate: { max: '5%', minSamples: 5 }, availability: 'off', p95: 'off' },
};

describe('podman and the built-in proxy', { skip, timeout: 180_000 }, () => {
  it('blue-green, a bad canary and a rollback lose no request', async (context) => {
    const podman = await OwnPodman.start();
    context.after(() => podman.close());
    const images = [await shopImage('v1'), await shopImage('v2'), await shopImage('v3', 'fails')] as const;
    await podman.load(images);
    const sandbox = await Sandbox.open();
    context.after(() => sandbox.close());
    const deploy = async (image: string, changes: object = {}) => {
      const platform = { docker: { socket: podman.socket } };
      await sandbox.configure({ release: { image }, port: 8080, stopGrace: '3s', platform, ...changes });
      return sandbox.sluice('deploy', '--json');
    };

    done(await deploy(images[0]));
    const visitor = new Visitor(sandbox.port);
    context.after(() => visitor.leave());
    done(await deploy(images[1]));
    assert.equal(await ask(sandbox.port), 'v2');
    const bad = await deploy(images[2], canary);
    assert.equal(bad.code, 1, bad.stdout + bad.stderr);
    assert.match(bad.stdout, /"code":"gate\.failed"/);
    assert.equal(await ask(sandbox.port), 'v2');
    done(await sandbox.sluice('rollback'));
    assert.equal(await ask(sandbox.port), 'v1');
    await visitor.leave();
    // What the bad release answered while it was on trial is its own.
    assert.deepEqual(
      visitor.failures.filter((words) => !words.endsWith('status 500: v3')),
      [],
    );
    assert.match((await sandbox.sluice('logs')).stdout, /v1 listens/);
  });
});
