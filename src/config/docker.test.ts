import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure } from '../base/failure.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import { deploySpecSchema } from './deploy-spec-schema.ts';
import { parseConfig } from './parse.ts';
import { resolveEnvironment } from './resolve.ts';

function resolved(docker: object, changes: object = {}): DeploySpec {
  const config = {
    service: 'shop',
    release: { image: 'shop:1' },
    port: 8080,
    platform: { docker },
    router: { embedded: { listen: 8080 } },
    ...changes,
  };
  return resolveEnvironment(parseConfig(JSON.stringify(config), 'sluice.yaml'), 'production', '/app');
}

test('a container of a Compose file has the name of its service there, and others have none', () => {
  const config = parseConfig(
    JSON.stringify({
      service: 'shop',
      release: { image: 'shop:1' },
      port: 8080,
      platform: { docker: { compose: 'compose.yml', service: 'api' } },
      router: { embedded: { listen: 8080 } },
    }),
    'sluice.yaml',
  );
  const composed = {
    project: 'myshop',
    service: 'api',
    image: 'shop:1',
    command: [],
    environment: {},
    limits: {},
    container: {},
    names: ['api'],
    neededBy: [],
  };
  const spec = resolveEnvironment(config, 'production', '/app', composed);
  assert.deepEqual(spec.run.container?.compose, { project: 'myshop', service: 'api' });
  assert.deepEqual(deploySpecSchema.parse(JSON.parse(JSON.stringify(spec))), spec);
  assert.equal(resolved({}).run.container?.compose, undefined);
});

const socket = { kind: 'socket', path: '/var/run/docker.sock' };

test('instances are published on loopback, where it is said, or not at all', () => {
  const platforms = [{}, { publish: '10.0.0.5' }, { publish: 'off' }].map((settings) => resolved(settings).platform);
  assert.deepEqual(platforms, [
    { driver: 'docker', engine: socket, publish: '127.0.0.1' },
    { driver: 'docker', engine: socket, publish: '10.0.0.5' },
    { driver: 'docker', engine: socket },
  ]);
  const spec = resolved({ publish: 'off' });
  assert.deepEqual(deploySpecSchema.parse(JSON.parse(JSON.stringify(spec))), spec);
});

test('options of the log need no driver', () => {
  const spec = resolved({ log: { options: { 'max-size': '10m' } } });
  assert.deepEqual(spec.run.container?.log, { options: { 'max-size': '10m' } });
  assert.deepEqual(deploySpecSchema.parse(JSON.parse(JSON.stringify(spec))), spec);
});

const tls = { ca: 'ca.pem', certificate: 'cert.pem', key: 'key.pem' };
const refused: readonly (readonly [string, object, object, RegExp])[] = [
  ['no port', {}, { port: undefined }, /port.*a container needs its port said/],
  ['a value that is no address', { publish: false }, {}, /publish.*false is no address/],
  [
    'ports of instances that have none',
    { publish: 'off', ports: { from: 20_000, to: 20_009 } },
    {},
    /no ports are published/,
  ],
  [
    'an engine that anybody may use',
    { host: '10.0.0.5:2375', publish: '10.0.0.5' },
    {},
    /without TLS owns that machine/,
  ],
  ['an engine elsewhere that publishes on its loopback', { host: '10.0.0.5:2376', tls }, {}, /reached on 127\.0\.0\.1/],
  ['an engine elsewhere that publishes nothing', { host: '10.0.0.5:2376', tls, publish: 'off' }, {}, /own addresses/],
  ['keys for a socket', { tls }, {}, /a socket needs no TLS/],
  ['two engines', { socket: '/run/a.sock', host: '127.0.0.1:2375' }, {}, /either by its socket or by its host/],
  ['the network of the machine', { network: ['host'] }, {}, /a network of their own/],
  ['a service of no Compose file', { service: 'api' }, {}, /no Compose file is named/],
];

for (const [what, docker, changes, message] of refused) {
  test(`the platform docker refuses ${what}`, () => {
    assert.throws(
      () => resolved(docker, changes),
      (thrown) => thrown instanceof Failure && message.test(thrown.message) && thrown.remedy !== '',
    );
  });
}
