import assert from 'node:assert/strict';
import { it } from 'node:test';

import { withoutHaproxy } from '../../../../../test/programs/haproxy.ts';
import { Bench, get, group, routerFor, routesOf, scope } from '../harness.ts';

it(
  'an address that overlaps one of the service’s own is not taken for another program’s',
  { skip: withoutHaproxy },
  async (context) => {
    const bench = new Bench();
    context.after(() => bench.end());
    const { router, spec } = await bench.router();
    const old = await bench.instance('old');
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    const everywhere = { ...spec, listen: { host: '0.0.0.0', port: spec.listen.port } };
    for (const [index, settings] of [everywhere, spec].entries()) {
      const other = routerFor(settings);
      await other.router.check(scope);
      await other.router.apply(routesOf(index + 2, [group('old', 10_000, old)]));
      assert.equal((await get(spec.listen)).body, 'old');
    }
  },
);
