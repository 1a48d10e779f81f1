import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Failure } from '../base/failure.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import { parseConfig } from './parse.ts';
import { resolveEnvironment } from './resolve.ts';

function resolved(match: object): DeploySpec {
  const config = {
    service: 'shop',
    release: { directory: './dist', command: 'node server.js' },
    strategy: { canary: { match: [match] } },
    router: { nginx: { listen: 80, include: './shop.conf' } },
  };
  return resolveEnvironment(parseConfig(JSON.stringify(config), 'sluice.yaml'), 'production', '/app');
}

test('a value that fits into a word of NGINX’s is taken', () => {
  const match = { header: 'x-canary', equals: '€'.repeat(233) };
  const { strategy } = resolved(match);
  assert.deepEqual(strategy.kind === 'canary' ? strategy.match : undefined, [match]);
});

for (const name of ['header', 'cookie']) {
  test(`a longer value of a ${name} is refused by name`, () => {
    assert.throws(
      () => resolved({ [name]: 'x-canary', equals: '€'.repeat(234) }),
      (error) => error instanceof Failure && /at most 700 bytes, and this one has 702/.test(error.message),
    );
  });
}
