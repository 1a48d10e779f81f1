import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerRun } from '../../../core/container.ts';
import { containerBody } from './container-body.ts';
import { plainRun } from './fixture.ts';

function hostConfigOf(changes: Partial<ContainerRun>): Readonly<Record<string, unknown>> {
  const container = { ...plainRun, ...changes };
  const body = containerBody({
    group: {
      scope: { service: 'shop', environment: 'production' },
      deployment: 'deployment',
      instances: 1,
      release: {
        id: 'shop@3f9c2a1b7d04',
        service: 'shop',
        artifact: { kind: 'image', repository: 'shop', digest: 'sha256:0' },
        run: { command: [], environment: {}, workingDirectory: '.', limits: {}, container },
      },
    },
    container,
    owner: 'owner',
    instance: 'instance',
    number: 1,
    image: 'sha256:0',
    variables: {},
    publish: undefined,
    port: 20_000,
    network: 'sluice',
  });
  assert.ok('HostConfig' in body && typeof body.HostConfig === 'object' && body.HostConfig !== null);
  return { ...body.HostConfig };
}

test('options of the log go to the engine without a driver, which is then its own', () => {
  const options = { 'max-size': '10m' };
  assert.equal(hostConfigOf({})['LogConfig'], undefined);
  assert.deepEqual(hostConfigOf({ log: { options } })['LogConfig'], { Type: '', Config: options });
  assert.deepEqual(hostConfigOf({ log: { driver: 'local', options } })['LogConfig'], {
    Type: 'local',
    Config: options,
  });
});
