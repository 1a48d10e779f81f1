// What a service of a Compose file depends on, whoever looks after that.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test, type TestContext } from 'node:test';

import { noEngine } from '../../../../test/docker/engine.ts';
import { docker, nodeImage } from '../../../../test/docker/image.ts';
import type { ComposeNeed } from '../../../core/container.ts';
import { type DockerFixture, eventually, openFixture, server } from './fixture.ts';

const scope = { service: 'shop', environment: 'production' };

interface Scene {
  readonly fixture: DockerFixture;
  readonly auth: { readonly project: string; readonly service: string };
  /** Looks whether the service may run that depends on `auth`. */
  readonly needs: (condition: ComposeNeed['condition']) => Promise<void>;
}

async function scene(context: TestContext): Promise<Scene> {
  const fixture = await openFixture();
  context.after(() => fixture.close());
  const auth = { project: `test-${randomBytes(6).toString('hex')}`, service: 'auth' };
  return {
    fixture,
    auth,
    needs: async (condition) => {
      const { run } = await fixture.release({}, { needs: [{ ...auth, condition }] });
      await fixture.platform.check(run, undefined);
    },
  };
}

/** A container as Compose makes it of a service. */
async function composed(context: TestContext, { project, service }: Scene['auth'], oneoff: string): Promise<void> {
  const container = await docker.createContainer({
    Image: await nodeImage(),
    Cmd: server,
    HostConfig: { NetworkMode: 'none' },
    Env: ['PORT=8080'],
    Labels: {
      'com.docker.compose.project': project,
      'com.docker.compose.service': service,
      'com.docker.compose.oneoff': oneoff,
    },
  });
  context.after(() => container.remove({ force: true }));
  await container.start();
}

const refused = { code: 'plan.unsupported', at: 'depends_on' };

describe('what a service of a Compose file depends on', { skip: await noEngine() }, () => {
  test('may be run by Compose', async (context) => {
    const { auth, needs } = await scene(context);
    await assert.rejects(needs('started'), refused);
    await composed(context, auth, 'False');
    await needs('started');
    await assert.rejects(needs('healthy'), refused);
  });

  test('is not run by what was made for one command', async (context) => {
    const { auth, needs } = await scene(context);
    await composed(context, auth, 'True');
    await assert.rejects(needs('started'), refused);
  });

  test('may be run by Sluice, also where a check of its health is asked for', async (context) => {
    const { fixture, auth, needs } = await scene(context);
    const elsewhere = await fixture.release({}, { compose: { ...auth, service: 'other' } });
    await fixture.platform.ensure({ scope, release: elsewhere, deployment: 'd-1', instances: 1 });
    await assert.rejects(needs('started'), refused);
    const health = { test: ['CMD', 'node', '-e', '0'], intervalMs: 200, timeoutMs: 5_000, retries: 1 };
    const release = await fixture.release({}, { compose: auth, health });
    await fixture.platform.ensure({ scope, release, deployment: 'd-1', instances: 1 });
    await needs('started');
    await eventually('it is healthy', () =>
      needs('healthy').then(
        () => true,
        () => false,
      ),
    );
  });

  test('has not done its work when Sluice ended it', async (context) => {
    const { fixture, auth, needs } = await scene(context);
    const release = await fixture.release({}, { compose: auth });
    await fixture.platform.ensure({ scope, release, deployment: 'd-1', instances: 1 });
    await fixture.platform.stop({ scope, release: release.id, graceMs: 10_000 });
    await assert.rejects(needs('started'), refused);
    await assert.rejects(needs('completed'), refused);
  });
});
