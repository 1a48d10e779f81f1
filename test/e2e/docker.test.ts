// A service in containers behind the built-in proxy, from its first release to its last, as a person runs it from the command line.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';

import { noEngine } from '../docker/engine.ts';
import { docker, removeLabelled } from '../docker/image.ts';
import { type Fault, shopImage } from '../docker/shop.ts';
import { calm, done, failureIn, type Ran, Sandbox } from './support/sandbox.ts';
import { ask, Visitor } from './support/visitors.ts';

interface Place {
  readonly sandbox: Sandbox;
  readonly mark: string;
  /** Writes the configuration of an image and of a strategy. */
  readonly configure: (image: string, changes?: object) => Promise<void>;
  readonly deploy: (version: string, changes?: object, fault?: Fault) => Promise<Ran>;
  /** The containers that run. */
  readonly running: () => Promise<readonly { readonly Id: string; readonly Image: string }[]>;
}

async function opened(context: TestContext): Promise<Place> {
  const sandbox = await Sandbox.open();
  const mark = randomBytes(6).toString('hex');
  context.after(async () => {
    await removeLabelled(`sluice.test=${mark}`);
    await sandbox.close();
  });
  const configure = (image: string, changes: object = {}) =>
    sandbox.configure({
      release: { image },
      port: 8080,
      stopGrace: '3s',
      platform: { docker: { labels: { 'sluice.test': mark } } },
      ...changes,
    });
  return {
    sandbox,
    mark,
    configure,
    deploy: async (version, changes, fault = 'none') => {
      await configure(await shopImage(version, fault), changes);
      return sandbox.sluice('deploy', '--label', version, '--json');
    },
    running: () => docker.listContainers({ filters: { label: [`sluice.test=${mark}`] } }),
  };
}

/** Leaves at the end of the test, whatever became of it. */
function visiting(context: TestContext, port: number): Visitor {
  const visitor = new Visitor(port);
  context.after(() => visitor.leave());
  return visitor;
}

const canary = {
  strategy: { canary: { stages: ['30%', '100%'], hold: { atLeast: '300ms', requests: 5 }, keepOld: '0s' } },
};

describe('docker and the built-in proxy', { skip: await noEngine() }, () => {
  it('blue-green, canary and rollback lose no request, and what runs is what was planned', async (context) => {
    const { sandbox, deploy, running, mark } = await opened(context);
    done(await deploy('v1'));
    const visitors = [visiting(context, sandbox.port), visiting(context, sandbox.port)];
    done(await deploy('v2'));
    assert.equal(await ask(sandbox.port), 'v2');
    done(await deploy('v3', { ...canary, instances: 2 }));
    assert.equal(await ask(sandbox.port), 'v3');
    assert.equal((await running()).length, 2);
    done(await sandbox.sluice('rollback'));
    assert.equal(await ask(sandbox.port), 'v2');
    for (const visitor of visitors) await visitor.leave();
    assert.deepEqual(
      visitors.flatMap(({ failures }) => failures),
      [],
    );

    const logs = await sandbox.sluice('logs');
    assert.match(logs.stdout, /v2 listens/);
    const plan = await sandbox.sluice('plan');
    assert.match(plan.stdout.replaceAll(/\s+/g, ' '), /image sluice-test\/shop@sha256:[0-9a-f]{64}/);
    assert.equal(
      await docker.listContainers({ filters: { label: [`sluice.test=${mark}`] } }).then((all) => all.length),
      2,
    );
  });

  it('a release that crashes, and one that answers with errors, go back by themselves', async (context) => {
    const { sandbox, deploy, running } = await opened(context);
    done(await deploy('v1'));
    const crashed = await deploy('v2', {}, 'crashes');
    assert.equal(crashed.code, 1);
    assert.match(crashed.stdout, /no database/);
    assert.match(crashed.stdout, /exit code 7/);
    const visitor = visiting(context, sandbox.port);
    const failing = await deploy(
      'v3',
      { ...canary, gates: { compare: calm, errorRate: { max: '5%', minSamples: 5 }, availability: 'off', p95: 'off' } },
      'fails',
    );
    await visitor.leave();
    assert.equal(failing.code, 1, `${failing.stdout}${failing.stderr}`);
    assert.equal(await ask(sandbox.port), 'v1');
    assert.equal((await running()).length, 1);
  });

  it('a tag that is moved changes nothing that runs, and its release stays the one that was deployed', async (context) => {
    const { sandbox, configure, running } = await opened(context);
    const reference = `sluice-test/moving-${randomBytes(4).toString('hex')}:1.0`;
    const [repo = '', tag = ''] = reference.split(':');
    context.after(() =>
      docker
        .getImage(reference)
        .remove({ force: true })
        .catch(() => undefined),
    );
    await docker.getImage(await shopImage('v1')).tag({ repo, tag });
    await configure(reference);
    done(await sandbox.sluice('deploy'));
    const planned = JSON.parse((await sandbox.sluice('plan', '--json')).stdout) as { readonly digest: string };
    await docker.getImage(await shopImage('v2')).tag({ repo, tag });
    const refused = await sandbox.sluice('deploy', '--plan-digest', planned.digest, '--json');
    assert.equal(failureIn(refused).code, 'plan.changed');
    const [only] = await running();
    assert.ok(only);
    await docker.getContainer(only.Id).kill();
    // Stable is started again from the image that it was deployed with.
    const server = sandbox.start('server', '--listen', '0');
    for (let tries = 0; (await running()).length === 0; tries += 1) {
      assert.ok(tries < 200, 'stable was not started again');
      await sleep(100);
    }
    for (let tries = 0; (await ask(sandbox.port).catch(() => '')) !== 'v1'; tries += 1) {
      assert.ok(tries < 200, 'stable does not answer again');
      await sleep(100);
    }
    server.kill('SIGTERM');
  });

  it('what cannot be deployed is refused before anything changed', async (context) => {
    const { sandbox, configure, running } = await opened(context);
    const good = await shopImage('v1');
    const cases: readonly (readonly [string, object, string])[] = [
      ['sluice-test/none:1.0', {}, 'release.missing|registry.failed'],
      ['sluice-test/shop:latest', {}, 'release.mutable'],
      ['sluice-test/shop', {}, 'release.mutable'],
      [good, { platform: { docker: { network: ['there-is-none'] } } }, 'plan.unsupported'],
      [good, { platform: { docker: { platform: 'linux/s390x' } } }, 'release.unsupported'],
      [good, { platform: { docker: { socket: '/no/such.sock' } } }, 'platform.unreachable'],
      [good, { env: { TOKEN: { fromFile: '/no/such/file' } } }, 'instance.environment'],
      [good, { platform: 'process' }, 'config.invalid'],
      [good, { port: undefined }, 'config.invalid'],
    ];
    for (const [image, changes, code] of cases) {
      await configure(image, changes);
      const failure = failureIn(await sandbox.sluice('deploy', '--json'));
      assert.match(
        failure.code,
        new RegExp(`^(?:${code})$`),
        `${image} ${JSON.stringify(changes)}: ${failure.message}`,
      );
      assert.notEqual(failure.remedy, '');
    }
    assert.deepEqual(await running(), []);
  });
});

const slow = {
  strategy: { canary: { stages: ['30%', '100%'], hold: { atLeast: '60s', requests: 1 }, keepOld: '0s' } },
};

describe('containers that are killed', { skip: await noEngine() }, () => {
  it('a candidate takes its deployment back, and an instance of stable is started again', async (context) => {
    const { sandbox, deploy, configure, running } = await opened(context);
    done(await deploy('v1'));
    const [stable] = await running();
    assert.ok(stable);
    await configure(await shopImage('v2'), slow);
    const deploying = sandbox.start('deploy', '--label', 'v2', '--json');
    const ended = new Promise<number | null>((resolve) => deploying.once('exit', (code) => resolve(code)));
    deploying.stdout?.resume();
    const candidate = await eventually('the candidate has traffic', async () => {
      const other = (await running()).find(({ Id }) => Id !== stable.Id);
      return other !== undefined && (await answersOf(sandbox.port)).has('v2') && other;
    });
    await docker.getContainer(stable.Id).kill();
    await eventually('stable runs again', async () => (await running()).some(({ Id }) => Id === stable.Id));
    await eventually('stable answers again', async () => (await answersOf(sandbox.port)).has('v1'));
    await docker.getContainer(candidate.Id).kill();
    assert.equal(await ended, 1);
    assert.deepEqual([...(await answersOf(sandbox.port))], ['v1']);
    assert.deepEqual(
      (await running()).map(({ Id }) => Id),
      [stable.Id],
    );
  });

  it('a controller that is killed while it starts containers leaves none that the next one does not find', async (context) => {
    const { sandbox, deploy, configure, running } = await opened(context);
    done(await deploy('v1'));
    await configure(await shopImage('v2'), { ...slow, instances: 3 });
    const deploying = sandbox.start('deploy', '--label', 'v2', '--json');
    deploying.stdout?.resume();
    const ended = new Promise<void>((resolve) => deploying.once('exit', () => resolve()));
    await eventually('the first container of the candidate is there', async () => (await running()).length > 1);
    deploying.kill('SIGKILL');
    await ended;
    done(await deploy('v3', { instances: 1 }));
    assert.deepEqual([...(await answersOf(sandbox.port))], ['v3']);
    assert.equal((await running()).length, 1);
  });
});

/** Who answers just now. */
async function answersOf(port: number): Promise<ReadonlySet<string>> {
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(port).catch(() => 'nobody')));
  return new Set(answers);
}

/** Waits until there is something; the limit only ends a test that would never end. */
async function eventually<T>(what: string, look: () => Promise<T | false>): Promise<T> {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await look();
    if (found !== false) return found;
    await sleep(100);
  }
  throw new Error(`waited in vain until ${what}`);
}
