// Containers that were made and never started: whatever keeps them from it, none is left behind.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { ContainerInfo } from 'dockerode';

import { noEngine } from '../../../../test/docker/engine.ts';
import { docker } from '../../../../test/docker/image.ts';
import type { InstanceGroup } from '../../../core/instance.ts';
import { type DockerFixture, openFixture } from './fixture.ts';

const scope = { service: 'shop', environment: 'production' };

interface Scene {
  readonly fixture: DockerFixture;
  readonly group: InstanceGroup;
  /** All containers of the release, as the engine has them. */
  readonly containers: () => Promise<readonly ContainerInfo[]>;
}

/** A controller was killed between making a container and starting it. */
async function scene(context: TestContext): Promise<Scene> {
  const fixture = await openFixture();
  context.after(() => fixture.close());
  const group = { scope, release: await fixture.release(), deployment: 'd-1', instances: 1 };
  const killed = fixture.open({
    onStep: (step) => {
      if (step === 'container made') throw new Error('killed here');
    },
  });
  await assert.rejects(killed.ensure(group), /killed here/);
  const filters = { label: [`sluice.release=${group.release.id}`] };
  return { fixture, group, containers: () => docker.listContainers({ all: true, filters }) };
}

describe('a container that was made and never started', { skip: await noEngine() }, () => {
  test('is removed where its port was taken meanwhile, and another one takes its place', async (context) => {
    const { fixture, group, containers } = await scene(context);
    const [made] = await containers();
    const port = Number(made?.Labels['sluice.port']);
    const other = createServer().listen(port, '127.0.0.1');
    context.after(() => other.close());
    await once(other, 'listening');
    const [instance] = await fixture.platform.ensure(group);
    assert.equal(instance?.state, 'running');
    assert.notEqual(instance.address.port, port);
    assert.deepEqual(
      (await containers()).map(({ State, Names }) => [State, Names[0]?.includes('.ended-')]),
      [['running', false]],
    );
  });

  test('is removed with the next ones that end, where a controller was killed while it ended it', async (context) => {
    const { fixture, group, containers } = await scene(context);
    const [made] = await containers();
    const container = docker.getContainer(made?.Id ?? '');
    await container.rename({ name: `${made?.Names[0]?.slice(1)}.ended-abcdef` });
    await fixture.platform.ensure(group);
    await fixture.platform.stop({ scope, release: group.release.id, graceMs: 10_000 });
    assert.deepEqual(
      (await containers()).map(({ State }) => State),
      ['exited'],
    );
  });
});
