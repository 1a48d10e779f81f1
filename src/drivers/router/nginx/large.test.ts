// What is long or many in a service: NGINX bounds names, lines and words of its configuration.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';

import { withoutNginx } from '../../../../test/programs/nginx.ts';
import { group, type HarnessOptions, makeHarness, type NginxHarness, routesOf } from './harness.ts';

const skip = await withoutNginx();
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function harnessOf(options: HarnessOptions = {}): Promise<NginxHarness> {
  const harness = await makeHarness(options);
  ends.push(() => harness.close());
  return harness;
}

describe('a large service behind NGINX', { skip }, () => {
  it('may have names as long as they can be', async () => {
    const harness = await harnessOf({ spec: { by: { kind: 'cookie', name: 'user' } } });
    const scope = { service: 's'.repeat(63), environment: 'e'.repeat(63) };
    const groups = [group('old', 10_000, await harness.startInstance('old-1'))];
    const sticky = { cookie: 'c'.repeat(128), maxAgeMs: 60_000 };
    await harness.router.apply({ ...routesOf(1, groups, { sticky }), scope });
    assert.equal((await harness.request()).instance, 'old-1');
  });
});
