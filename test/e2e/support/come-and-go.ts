// What every pair of platform and router has to stand: releases come, go back and fail, and their visitors notice only what failed.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

import type { Fault } from '../../docker/shop.ts';
import { done, type Ran, type Sandbox } from './sandbox.ts';
import { ask, Visitor } from './visitors.ts';

export interface Coming {
  readonly sandbox: Sandbox;
  readonly deploy: (version: string, changes?: object, fault?: Fault) => Promise<Ran>;
  /** Settings of a canary that visitors pass quickly. */
  readonly canary: object;
  /** Settings of a canary whose gate has time to see what fails. */
  readonly judged: object;
}

/** Blue-green, a canary of two instances, and a rollback without a failed request; then a release that fails goes back by itself. */
export async function comeAndGo(context: TestContext, { sandbox, deploy, canary, judged }: Coming): Promise<void> {
  done(await deploy('v1'));
  const visitors = [new Visitor(sandbox.port), new Visitor(sandbox.port)];
  context.after(() => Promise.all(visitors.map((visitor) => visitor.leave())));
  done(await deploy('v2'));
  assert.equal(await ask(sandbox.port), 'v2');
  done(await deploy('v3', { ...canary, instances: 2 }));
  assert.equal(await ask(sandbox.port), 'v3');
  done(await sandbox.sluice('rollback'));
  assert.equal(await ask(sandbox.port), 'v2');
  for (const visitor of visitors) await visitor.leave();
  assert.deepEqual(
    visitors.flatMap(({ failures }) => failures),
    [],
  );

  const last = new Visitor(sandbox.port);
  context.after(() => last.leave());
  const failing = await deploy('v4', judged, 'fails');
  await last.leave();
  assert.equal(failing.code, 1, `${failing.stdout}${failing.stderr}`);
  assert.equal(await ask(sandbox.port), 'v2');
}
