// What every router must do, as tests: call `routerContract` in a test file of the driver with a way to build one and to send requests through it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Failure } from '../base/failure.ts';
import type { Routes } from '../core/routes.ts';
import { feeding } from './router-feed.contract.ts';
import {
  type Case,
  type ContractAnswer,
  oneRelease,
  type RouterHarness,
  routesOf,
  twoReleases,
  type Within,
  withShare,
} from './router-harness.ts';

export type { ContractAnswer, ContractRequest, HeldRequest, RouterHarness } from './router-harness.ts';

export interface ContractOptions {
  /** Registered as sub-tests of this name. */
  readonly name: string;
  /** Basis points by which a share may miss over the whole of `requests`; 0: exact. A router that picks by chance needs some. */
  readonly tolerance?: number;
  /** Requests by which shares are judged. */
  readonly requests?: number;
}

/** Registers the suite. `make` is called once per test. */
export function routerContract(options: ContractOptions, make: () => Promise<RouterHarness>): void {
  const { tolerance = 0, requests = 1000 } = options;
  const within = (name: string, run: Case): void => {
    it(name, async (context) => {
      const harness = await make();
      try {
        await run(harness, context);
      } finally {
        await harness.close();
      }
    });
  };

  describe(`${options.name} keeps the router contract`, () => {
    within('a check of a scope that it can serve passes, before and after it serves it', async (harness) => {
      await harness.router.check(harness.scope);
      assert.equal(await harness.router.read(harness.scope), undefined);
      await harness.router.apply(await oneRelease(harness, 1));
      await harness.router.check(harness.scope);
    });

    within('it has no routes before any are applied', async ({ router, scope }) => {
      assert.equal(await router.read(scope), undefined);
    });

    within('routes that were applied are in force and read back as they were', async (harness) => {
      const routes = await oneRelease(harness, 1);
      await harness.router.apply(routes);
      assert.deepEqual(plain(await harness.router.read(harness.scope)), plain(routes));
      assert.deepEqual(await harness.request(), { status: 200, instance: 'old-1', cookies: [] });
    });

    within('the same revision may be applied again, an older one is refused', async (harness) => {
      const first = await oneRelease(harness, 7);
      await harness.router.apply(first);
      await harness.router.apply(first);
      const second = { ...first, revision: 8 };
      await harness.router.apply(second);
      await assert.rejects(harness.router.apply(first), isFailure('router.stale'));
      assert.equal((await harness.router.read(harness.scope))?.revision, 8);
    });

    within('one revision cannot stand for two different routes', async (harness) => {
      const routes = await oneRelease(harness, 7);
      await harness.router.apply(routes);
      const other = { ...routes, groups: [...routes.groups, { release: 'other', share: 0, endpoints: [] }] };
      await assert.rejects(harness.router.apply(other), isFailure('router.stale'));
      assert.deepEqual(plain(await harness.router.read(harness.scope)), plain(routes));
    });

    within('shares are kept', async (harness, context) => {
      const [old, fresh] = await twoReleases(harness);
      for (const [index, share] of [0, 100, 2_500, 10_000].entries()) {
        if (share % harness.router.capabilities.granularity !== 0) {
          context.diagnostic(
            `share ${share} left out: the router's smallest step is ${harness.router.capabilities.granularity}`,
          );
          continue;
        }
        await harness.router.apply(
          routesOf(harness, index + 1, [withShare(old, 10_000 - share), withShare(fresh, share)]),
        );
        let served = 0;
        for (let sent = 0; sent < requests; sent++) {
          const answer = await harness.request();
          assert.equal(answer.status, 200);
          if (answer.instance?.startsWith('new') === true) served += 1;
        }
        const missed = Math.abs(served - (requests * share) / 10_000);
        assert.ok(
          missed <= (requests * tolerance) / 10_000,
          `${served} of ${requests} requests at ${share} basis points`,
        );
      }
    });

    within('the instances of a release take turns', async (harness) => {
      const endpoints = [await harness.startInstance('old-1'), await harness.startInstance('old-2')];
      await harness.router.apply(routesOf(harness, 1, [{ release: 'old', share: 10_000, endpoints }]));
      const instances = new Map<string | undefined, number>();
      for (let sent = 0; sent < 40; sent++) {
        const { instance } = await harness.request();
        instances.set(instance, (instances.get(instance) ?? 0) + 1);
      }
      assert.deepEqual(new Set(instances.keys()), new Set(['old-1', 'old-2']));
      for (const count of instances.values()) assert.ok(count >= 10, `${count} of 40`);
    });

    within('without any instance the answer is 503', async (harness) => {
      await harness.router.apply(routesOf(harness, 1, [{ release: 'old', share: 10_000, endpoints: [] }]));
      const answer = await harness.request();
      assert.deepEqual([answer.status, answer.instance], [503, undefined]);
    });

    within('requests in flight end where they began when the routes change', async (harness) => {
      const [old, fresh] = await twoReleases(harness);
      await harness.router.apply(routesOf(harness, 1, [withShare(old, 10_000)]));
      const held = await harness.hold();
      await harness.router.apply(routesOf(harness, 2, [withShare(fresh, 10_000)]));
      assert.equal((await harness.request()).instance, 'new-1');
      held.finish();
      assert.deepEqual(await held.answer, { status: 200, instance: 'old-1', cookies: [] });
    });

    matching(within);
    draining(within);
    removing(within);
    feeding(within, tolerance > 0);
  });
}

/** Rules, cookies and the preview address. */
function matching(within: Within): void {
  within('rules decide before shares; the first that matches counts', async (harness, context) => {
    const { rules } = harness.router.capabilities;
    if (!rules.header || !rules.cookie)
      return context.skip('the router declares that it has no header or cookie rules');
    const [old, fresh] = await twoReleases(harness);
    await harness.router.apply({
      ...routesOf(harness, 1, [withShare(old, 10_000), withShare(fresh, 0)]),
      rules: [
        { release: 'old', match: { header: 'x-canary', equals: 'never' } },
        { release: 'new', match: { cookie: 'canary', equals: 'always' } },
        { release: 'new', match: { header: 'x-canary', equals: 'always' } },
      ],
    });
    const instance = async (headers: Record<string, string>): Promise<string | undefined> =>
      (await harness.request({ headers })).instance;
    assert.equal(await instance({}), 'old-1');
    assert.equal(await instance({ 'x-canary': 'always' }), 'new-1');
    assert.equal(await instance({ cookie: 'a=b; canary=always' }), 'new-1');
    assert.equal(await instance({ cookie: 'canary=always', 'x-canary': 'never' }), 'old-1');
    assert.equal(await instance({ cookie: 'canary=sometimes', 'x-canary': 'alway' }), 'old-1');
  });

  within('visitors stay with their release as long as it has a share', async (harness, context) => {
    if (!harness.router.capabilities.sticky) return context.skip('the router declares that it does not keep visitors');
    const [old, fresh] = await twoReleases(harness);
    const sticky = { cookie: 'sluice-release', maxAgeMs: 3_600_000 };
    const half = [withShare(old, 5_000), withShare(fresh, 5_000)];
    await harness.router.apply({ ...routesOf(harness, 1, half), sticky });
    const cookies = new Map<string, string>();
    for (let sent = 0; sent < 100 && cookies.size < 2; sent++) {
      const answer = await harness.request();
      assert.equal(answer.cookies.length, 1);
      cookies.set(answer.instance ?? '', answer.cookies[0] ?? '');
    }
    assert.equal(cookies.size, 2);
    for (const [instance, cookie] of cookies) {
      for (let visit = 0; visit < 10; visit++) {
        assert.equal((await harness.request({ headers: { cookie: `other=1; ${cookie}` } })).instance, instance);
      }
    }
    const all = [withShare(old, 10_000), withShare(fresh, 0)];
    await harness.router.apply({ ...routesOf(harness, 2, all), sticky });
    const moved = await harness.request({ headers: { cookie: cookies.get('new-1') ?? '' } });
    assert.deepEqual([moved.instance, moved.cookies], ['old-1', [cookies.get('old-1')]]);
  });

  within('the preview address serves the release on trial', async (harness, context) => {
    if (!harness.router.capabilities.preview) return context.skip('the router declares that it has no preview address');
    const [old, fresh] = await twoReleases(harness);
    const routes = routesOf(harness, 1, [withShare(old, 10_000), withShare(fresh, 0)]);
    await harness.router.apply(routes);
    assert.equal((await harness.request({ preview: true })).status, 503);
    await harness.router.apply({ ...routes, revision: 2, preview: 'new' });
    assert.equal((await harness.request({ preview: true })).instance, 'new-1');
    assert.equal((await harness.request()).instance, 'old-1');
  });
}

function removing(within: Within): void {
  within('a scope that is removed has no routes and is served no more', async (harness) => {
    await harness.router.apply(await oneRelease(harness, 3));
    assert.equal((await harness.request()).instance, 'old-1');
    await harness.router.remove(harness.scope);
    assert.equal(await harness.router.read(harness.scope), undefined);
    // Whether somebody else answers at the address is the machine's affair.
    assert.equal(await harness.request().then(instanceOf, () => undefined), undefined);
  });

  within('it may be removed again, and where it never was', async (harness) => {
    await harness.router.remove(harness.scope);
    await harness.router.apply(await oneRelease(harness, 1));
    await harness.router.remove(harness.scope);
    await harness.router.remove(harness.scope);
    assert.equal(await harness.router.read(harness.scope), undefined);
  });

  within('after a removal any routes are the first ones', async (harness) => {
    const routes = await oneRelease(harness, 3);
    await harness.router.apply(routes);
    await harness.router.remove(harness.scope);
    await harness.router.check(harness.scope);
    const first = { ...routes, revision: 1 };
    await harness.router.apply(first);
    assert.deepEqual(plain(await harness.router.read(harness.scope)), plain(first));
    assert.equal((await harness.request()).instance, 'old-1');
  });
}

function instanceOf({ instance }: ContractAnswer): string | undefined {
  return instance;
}

function draining(within: Within): void {
  within('a drain of idle or unknown instances is over at once', async (harness) => {
    await harness.router.apply(await oneRelease(harness, 1));
    assert.equal((await harness.request()).status, 200);
    assert.equal(await harness.router.drain(harness.scope, ['old-1', 'never-seen'], 600_000), 0);
  });

  within('a drain waits for the requests in flight on its instances, and only for them', async (harness) => {
    const [old, fresh] = await twoReleases(harness);
    await harness.router.apply(routesOf(harness, 1, [withShare(old, 10_000)]));
    const held = await harness.hold();
    await harness.router.apply(routesOf(harness, 2, [withShare(fresh, 10_000)]));
    const elsewhere = await harness.hold();
    let over = false;
    const drained = harness.router.drain(harness.scope, ['old-1'], 600_000).then((left) => {
      over = true;
      return left;
    });
    assert.equal((await harness.request()).instance, 'new-1');
    assert.equal(over, false);
    held.finish();
    assert.equal((await held.answer).status, 200);
    assert.equal(await drained, 0);
    elsewhere.finish();
    assert.equal((await elsewhere.answer).status, 200);
  });

  within('what is still in flight when the time is up is counted, and cut where the router can', async (harness) => {
    const [old, fresh] = await twoReleases(harness);
    await harness.router.apply(routesOf(harness, 1, [withShare(old, 10_000)]));
    const held = await harness.hold();
    const cut = held.answer.then(
      (answer) => answer.status,
      () => 'cut',
    );
    await harness.router.apply(routesOf(harness, 2, [withShare(fresh, 10_000)]));
    assert.equal(await harness.router.drain(harness.scope, ['old-1'], 0), 1);
    if (harness.router.capabilities.cuts) assert.notEqual(await cut, 200);
    else {
      // It goes on until its instance is stopped, which is what comes next.
      held.finish();
      assert.equal(await cut, 200);
    }
    assert.equal(await harness.router.drain(harness.scope, ['old-1'], 0), 0);
  });
}

/** Without fields that are undefined, so that absent and undefined compare equal. */
function plain(routes: Routes | undefined): unknown {
  return routes === undefined ? undefined : JSON.parse(JSON.stringify(routes));
}

function isFailure(code: Failure['code']): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof Failure && thrown.code === code;
}
