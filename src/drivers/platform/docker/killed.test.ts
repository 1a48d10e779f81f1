// A controller that is killed before and behind each change that it asks of the container engine: the next one goes on from there.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { cutEngine } from '../../../../test/docker/cut-engine.ts';
import { noEngine } from '../../../../test/docker/engine.ts';
import type { Platform } from '../../../ports/platform.ts';
import { ask, type DockerFixture, eventually, openFixture, platformSpec } from './fixture.ts';

const scope = { service: 'shop', environment: 'test' };

/** Does it with one controller after the other, each of which dies a little later than the one before; how many died. */
async function throughDeaths(fixture: DockerFixture, act: (platform: Platform) => Promise<unknown>): Promise<number> {
  for (let deaths = 0; ; deaths += 1) {
    const cut = await cutEngine(deaths % 2 === 0 ? 'before' : 'after', 1 + Math.floor(deaths / 2));
    try {
      const spec = { ...platformSpec, engine: { kind: 'socket' as const, path: cut.socket } };
      await act(fixture.open({ spec }));
      return deaths;
    } catch (error) {
      if (cut.broke() === undefined) throw error;
    } finally {
      await cut.close();
    }
  }
}

it('a controller killed at any change leaves no container too many', { skip: await noEngine() }, async (context) => {
  const fixture = await openFixture();
  context.after(() => fixture.close());
  const release = await fixture.release();
  const ensure = (deployment: string) =>
    throughDeaths(fixture, (platform) => platform.ensure({ scope, release, deployment, instances: 2 }));
  const assertBoth = async (deployment: string): Promise<void> => {
    const instances = await fixture.platform.list(scope);
    assert.deepEqual(
      instances.map((each) => [each.state, each.deployment]),
      Array.from({ length: 2 }, () => ['running', deployment]),
    );
    assert.equal(new Set(instances.map(({ address }) => address.port)).size, 2);
    for (const each of instances) await eventually('it answers', async () => (await ask(each)) === 'ok');
  };
  const deaths = [await ensure('d-1')];
  await assertBoth('d-1');
  for (const each of await fixture.platform.list(scope)) await ask(each, '/crash');
  await eventually('they ended', async () =>
    (await fixture.platform.list(scope)).every(({ state }) => state === 'exited'),
  );
  deaths.push(await ensure('d-1'));
  await assertBoth('d-1');
  deaths.push(await ensure('d-2'));
  await assertBoth('d-2');
  deaths.push(await throughDeaths(fixture, (platform) => platform.stop({ scope, release: release.id, graceMs: 5000 })));
  assert.deepEqual(await fixture.platform.list(scope), []);
  // Two of each: made and started, renamed and started, renamed, renamed and stopped.
  assert.ok(
    deaths.every((count) => count >= 2),
    deaths.join(),
  );
});
