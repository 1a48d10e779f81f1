import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure } from '../base/failure.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import { deploySpecSchema } from './deploy-spec-schema.ts';
import { parseConfig } from './parse.ts';
import { resolveEnvironment } from './resolve.ts';

const plain = { listen: 80, directory: './lb', socket: './admin.sock', reload: { pidFile: './pid' } };

function resolved(changes: object = {}, strategy: unknown = 'blue-green'): DeploySpec {
  const config = {
    service: 'shop',
    release: { directory: './dist', command: 'node server.js' },
    strategy,
    router: { haproxy: { ...plain, ...changes } },
  };
  return resolveEnvironment(parseConfig(JSON.stringify(config), 'sluice.yaml'), 'production', '/app');
}

test('HAProxy’s settings come to absolute paths, and pass unchanged through JSON and the schema', () => {
  const spec = resolved({
    preview: 81,
    check: 'haproxy -c -f {directory}',
    feed: '0.0.0.0:5141',
    feedReach: '172.17.0.1:5141',
  });
  assert.deepEqual(spec.router, {
    driver: 'haproxy',
    listen: { host: '0.0.0.0', port: 80 },
    preview: { host: '127.0.0.1', port: 81 },
    directory: '/app/lb',
    socket: { path: '/app/admin.sock' },
    reload: { kind: 'pidFile', path: '/app/pid' },
    check: ['haproxy', '-c', '-f', '{directory}'],
    feed: { listen: { host: '0.0.0.0', port: 5141 }, reach: { host: '172.17.0.1', port: 5141 } },
    limits: { idleMs: 60_000, answerMs: 60_000 },
    trustForwarded: false,
  });
  assert.deepEqual(deploySpecSchema.parse(JSON.parse(JSON.stringify(spec))), spec);
});

const refused: readonly (readonly [string, object, unknown, RegExp])[] = [
  ['a path with a space', { directory: './my lb' }, 'blue-green', /HAProxy cannot be given the path/],
  ['a socket that is neither path nor address', { socket: 'admin' }, 'blue-green', /neither a path nor an address/],
  ['two ways to reload', { reload: { container: 'lb', pidFile: 'p' } }, 'blue-green', /exactly one way to reload/],
  ['a preview where users are', { preview: '0.0.0.0:80' }, 'blue-green', /router\.haproxy\.preview/],
  [
    'a header that cannot stand in the configuration',
    {},
    { canary: { match: [{ header: 'x~y', equals: '1' }] } },
    /HAProxy cannot be given the name/,
  ],
];

for (const [name, changes, strategy, words] of refused) {
  test(`${name} is refused by name`, () => {
    assert.throws(
      () => resolved(changes, strategy),
      (thrown) => thrown instanceof Failure && words.test(`${thrown.message} ${JSON.stringify(thrown.details)}`),
    );
  });
}

test('a specification off the wire brings nothing into HAProxy’s configuration but hosts and names', () => {
  const spec = resolved();
  for (const host of ['a\nfrontend evil', 'a b', '', '-f']) {
    const router = { ...spec.router, listen: { host, port: 80 } };
    assert.equal(deploySpecSchema.safeParse({ ...spec, router }).success, false, host);
  }
});
