// A service that Compose runs is taken over as it runs, replaced by canary and gone back from, while its visitors stay.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { stringify } from 'yaml';

import { freePort } from '../free-port.ts';
import { noEngine } from '../docker/engine.ts';
import { docker, removeLabelled } from '../docker/image.ts';
import { shopImage } from '../docker/shop.ts';
import { done, failureIn, Sandbox } from './support/sandbox.ts';
import { ask, Visitor } from './support/visitors.ts';

const run = promisify(execFile);
const program = ['/usr/bin/docker-compose', '/usr/local/bin/docker-compose'].find((path) => existsSync(path));
const leftOut = (await noEngine()) || (program === undefined ? 'missing: docker-compose is not installed' : false);

interface Place {
  readonly sandbox: Sandbox;
  readonly project: string;
  /** Where Compose publishes the service. */
  readonly published: number;
  /** Writes the files of an image of this version; a variable that is said twice tells that a value came through. */
  readonly write: (version: string, changes?: object) => Promise<void>;
  readonly compose: (...words: readonly string[]) => Promise<unknown>;
  readonly running: () => Promise<readonly string[]>;
}

async function opened(context: TestContext): Promise<Place> {
  const sandbox = await Sandbox.open();
  const project = `t${randomBytes(4).toString('hex')}`;
  const published = await freePort();
  const compose = (...words: readonly string[]) =>
    run(program ?? '', ['-f', join(sandbox.directory, 'docker-compose.yml'), ...words], {
      cwd: sandbox.directory,
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:COMPOSE|DOCKER)_/.test(name))),
    });
  const mark = `sluice.test=${project}`;
  context.after(async () => {
    await removeLabelled(mark);
    await removeLabelled(`com.docker.compose.project=${project}`);
    await sandbox.close();
  });
  return {
    sandbox,
    project,
    published,
    compose,
    write: async (version, changes = {}) => {
      await sandbox.write('.env', `COMPOSE_PROJECT_NAME=${project}\nSECRET=not-to-be-seen\n`);
      await sandbox.write(
        'docker-compose.yml',
        stringify({
          version: '3.8',
          services: {
            api: {
              image: await shopImage(version),
              ports: [`127.0.0.1:${published}:8080`],
              environment: { PORT: '8080', TOKEN: 'a-${SECRET}', WHO: '${NOBODY:-me}' },
              labels: { 'sluice.test': project },
              mem_limit: '256m',
            },
          },
        }),
      );
      const plain = sandbox.plain();
      await sandbox.write(
        'sluice.yaml',
        stringify({
          ...plain,
          release: undefined,
          stopGrace: '10s',
          platform: { docker: { compose: 'docker-compose.yml', service: 'api' } },
          ...changes,
        }),
      );
    },
    running: async () => {
      const found = await docker.listContainers({ filters: { label: [mark] } });
      return found.flatMap(({ Names }) => Names);
    },
  };
}

/** Compose does not wait until a service that it started can serve. */
async function answering(port: number): Promise<void> {
  while ((await ask(port).catch(() => undefined)) === undefined)
    await new Promise((resolve) => setTimeout(resolve, 50));
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

describe('a service of Compose', { skip: leftOut }, () => {
  it('is adopted without a restart, then replaced and put back, and loses no request', async (context) => {
    const { sandbox, project, published, write, compose, running } = await opened(context);
    await write('v1');
    await compose('up', '-d');
    await answering(published);
    const before = visiting(context, published);
    const [name = ''] = await running();
    const started = (await docker.getContainer(name.slice(1)).inspect()).State.StartedAt;

    const plan = await sandbox.sluice('adopt', '--dry-run');
    done(plan);
    assert.match(plan.stdout.replaceAll(/\s+/g, ' '), /take over the running containers of api of the Compose project/);
    assert.deepEqual(await running(), [name]);
    assert.equal(failureIn(await sandbox.sluice('adopt', '--json')).code, 'prompt.unavailable');

    done(await sandbox.sluice('adopt', '--label', 'v1', '--yes'));
    const [adopted = ''] = await running();
    const inspected = await docker.getContainer(adopted.slice(1)).inspect();
    assert.equal(inspected.State.StartedAt, started);
    assert.notEqual(adopted, name);
    const visitor = visiting(context, sandbox.port);
    await before.leave();
    assert.equal(failureIn(await sandbox.sluice('adopt', '--yes', '--json')).code, 'usage');

    await write('v2', canary);
    done(await sandbox.sluice('deploy', '--label', 'v2'));
    assert.equal(await ask(sandbox.port), 'v2');
    const [current = ''] = await running();
    const { Config, HostConfig } = await docker.getContainer(current.slice(1)).inspect();
    assert.ok(Config.Env.includes('TOKEN=a-not-to-be-seen'));
    assert.ok(Config.Env.includes('WHO=me'));
    assert.equal(HostConfig.Memory, 256 * 1024 * 1024);
    assert.ok(!(await sandbox.sluice('config', 'show')).stdout.includes('not-to-be-seen'));

    done(await sandbox.sluice('rollback'));
    assert.equal(await ask(sandbox.port), 'v1');
    await visitor.leave();
    assert.deepEqual([...before.failures, ...visitor.failures], []);
    assert.ok(!(await sandbox.sluice('history', '--json')).stdout.includes('not-to-be-seen'));

    done(await sandbox.sluice('remove', '--yes'));
    await assert.rejects(ask(sandbox.port));
    // What Compose made is Compose's again, and what Sluice made is gone.
    const left = await docker.listContainers({ all: true, filters: { label: [`sluice.test=${project}`] } });
    assert.deepEqual(
      left.map(({ Names, State }) => [Names, State]),
      [[[name], 'exited']],
    );
    await write('v1');
    await compose('up', '-d');
    await answering(published);
    done(await sandbox.sluice('remove', '--yes'));
    assert.equal(await ask(published), 'v1');
  });

  it('is given back, running, where the adoption does not work out', async (context) => {
    const { sandbox, published, write, compose, running } = await opened(context);
    await write('v1', { validate: [{ http: { path: '/', status: 404 } }] });
    await compose('up', '-d');
    const names = await running();
    await answering(published);
    const visitor = visiting(context, published);
    assert.equal((await sandbox.sluice('adopt', '--yes')).code, 1);
    await visitor.leave();
    assert.deepEqual(visitor.failures, []);
    assert.deepEqual(await running(), names);
  });

  it('is not adopted where what runs is not what the file says', async (context) => {
    const { sandbox, write, compose, running } = await opened(context);
    await write('v1');
    const nothing = failureIn(await sandbox.sluice('adopt', '--yes', '--json'));
    assert.equal(nothing.code, 'plan.unsupported');
    await compose('up', '-d');
    const names = await running();
    await write('v2');
    assert.match(failureIn(await sandbox.sluice('adopt', '--yes', '--json')).message, /another image/);
    await write('v1');
    await sandbox.write('.env', `COMPOSE_PROJECT_NAME=${names[0]?.slice(1).split(/[-_]/)[0] ?? ''}\nSECRET=changed\n`);
    const changed = failureIn(await sandbox.sluice('adopt', '--yes', '--json'));
    assert.match(changed.message, /another value of the variable TOKEN/);
    assert.ok(!JSON.stringify(changed).includes('changed"'));
    assert.deepEqual(await running(), names);
  });
});
