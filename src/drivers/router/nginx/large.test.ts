// What is long or many in a service: NGINX bounds names, lines and words of its configuration.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';

import { nginxEqualsBytes } from '../../../config/rules/nginx-rules.ts';
import type { Endpoint } from '../../../core/routes.ts';
import { withoutNginx } from '../../../../test/programs/nginx.ts';
import { group, type HarnessOptions, makeHarness, type NginxHarness, routesOf, scope } from './harness.ts';

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
    const long = { service: 's'.repeat(63), environment: 'e'.repeat(63) };
    const groups = [group('old', 10_000, await harness.startInstance('old-1'))];
    const sticky = { cookie: 'c'.repeat(128), maxAgeMs: 60_000 };
    await harness.router.apply({ ...routesOf(1, groups, { sticky }), scope: long });
    assert.equal((await harness.request()).instance, 'old-1');
  });

  it('may have many instances, and values of rules as long as the configuration lets them be', async () => {
    const harness = await harnessOf();
    const old = await harness.startInstance('old-1');
    const many = (at: number): readonly Endpoint[] =>
      Array.from({ length: 60 }, (_, index) => ({
        instance: `new-${at}-${index}`,
        address: { host: `127.${at}.0.${index}`, port: 60_000 },
      }));
    for (let revision = 1; revision < 4; revision++) {
      const groups = [group('old', 10_000, old), group(`new-${revision}`, 0, ...many(revision))];
      await harness.router.apply(routesOf(revision, groups));
    }
    const fresh = await harness.startInstance('new-1');
    const equals = '"'.repeat(nginxEqualsBytes);
    const rules = [
      { release: 'new', match: { header: 'x-a', equals } },
      { release: 'new', match: { cookie: 'c'.repeat(128), equals } },
    ];
    await harness.router.apply(routesOf(4, [group('old', 10_000, old), group('new', 0, fresh)], { rules }));
    assert.equal((await harness.request({ headers: { 'x-a': equals } })).instance, 'new-1');
    assert.equal((await harness.request({ headers: { 'x-a': `${equals}"` } })).instance, 'old-1');
    assert.deepEqual((await harness.router.read(scope))?.rules, rules);
  });
});
