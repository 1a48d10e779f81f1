import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Routes } from '../../../core/routes.ts';
import type { Clock } from '../../../ports/clock.ts';
import { type ContractAnswer, routerContract } from '../../../ports/router.contract.ts';
import { MemoryRouter } from './driver.ts';

const scope = { service: 'shop', environment: 'test' };

/** Stands still until a test moves it. */
class StandingClock implements Clock {
  #now = 1_000;
  #sleepers: { until: number; wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true || durationMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#sleepers.push({ until: this.#now + durationMs, wake: resolve });
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  forward(durationMs: number): void {
    this.#now += durationMs;
    for (const sleeper of this.#sleepers) if (sleeper.until <= this.#now) sleeper.wake();
  }
}

routerContract({ name: 'the memory router' }, () => {
  const router = new MemoryRouter({ clock: new StandingClock() });
  let port = 4000;
  return Promise.resolve({
    router,
    scope,
    startInstance: (instance) => Promise.resolve({ instance, address: { host: '127.0.0.1', port: port++ } }),
    request: (options) => {
      const request = router.request(scope, options);
      const cookies = request?.setCookie === undefined ? [] : [request.setCookie];
      return Promise.resolve({ status: request === undefined ? 503 : 200, instance: request?.instance, cookies });
    },
    hold: (options) => {
      const request = router.open(scope, options);
      assert.ok(request);
      const { instance } = request;
      const answer = Promise.withResolvers<ContractAnswer>();
      request.onCut = () => answer.resolve({ status: 503, instance: undefined, cookies: [] });
      const finish = (): void => {
        request.end(200);
        answer.resolve({ status: 200, instance, cookies: [] });
      };
      return Promise.resolve({ instance, finish, answer: answer.promise });
    },
    close: () => Promise.resolve(),
  });
});

const routes = (revision: number, share: number): Routes => ({
  scope,
  revision,
  groups: [
    {
      release: 'old',
      share: 10_000 - share,
      endpoints: [{ instance: 'old-1', address: { host: '127.0.0.1', port: 1 } }],
    },
    { release: 'new', share, endpoints: [{ instance: 'new-1', address: { host: '127.0.0.1', port: 2 } }] },
  ],
  rules: [],
});

test('a fault before an operation leaves the routes as they were, one after it loses only the answer', async () => {
  const router = new MemoryRouter({ clock: new StandingClock() });
  await router.apply(routes(1, 0));
  const failing = (phase: 'before' | 'after') => (call: { phase: string }) => {
    if (call.phase === phase) throw new Error('injected');
  };
  router.fault = failing('before');
  await assert.rejects(router.apply(routes(2, 100)), /injected/);
  assert.equal(router.inForce(scope)?.revision, 1);
  router.fault = failing('after');
  await assert.rejects(router.apply(routes(2, 100)), /injected/);
  assert.equal(router.inForce(scope)?.revision, 2);
  router.fault = undefined;
  await router.apply(routes(2, 100));
});

test('routes in force are a copy that the caller cannot change', async () => {
  const router = new MemoryRouter({ clock: new StandingClock() });
  const offered = routes(1, 0);
  await router.apply(offered);
  assert.notEqual(router.inForce(scope), offered);
  assert.deepEqual(router.inForce(scope), offered);
});

test('a drain ends when the clock says so, and tells how many it cut', async () => {
  const clock = new StandingClock();
  const router = new MemoryRouter({ clock });
  await router.apply(routes(1, 0));
  const requests = [router.open(scope), router.open(scope)];
  const drained = router.drain(scope, ['old-1'], 5_000);
  await Promise.resolve();
  clock.forward(4_999);
  requests[0]?.end(200);
  clock.forward(1);
  assert.equal(await drained, 1);
  assert.deepEqual(
    requests.map((request) => request?.cut),
    [false, true],
  );
});

test('an aborted drain cuts nothing', async () => {
  const router = new MemoryRouter({ clock: new StandingClock() });
  await router.apply(routes(1, 0));
  const request = router.open(scope);
  const stop = new AbortController();
  const drained = router.drain(scope, ['old-1'], 5_000, stop.signal);
  stop.abort();
  await assert.rejects(drained);
  assert.equal(request?.cut, false);
});

test('samples that a test makes up reach the readers, and what they leave unread is bounded and counted', async () => {
  const router = new MemoryRouter({ clock: new StandingClock() });
  await router.apply(routes(1, 0));
  const stop = new AbortController();
  const reader = router.feed(scope, stop.signal)[Symbol.asyncIterator]();
  assert.equal(router.readers(scope), 1);
  const sample = {
    at: 1,
    release: 'old',
    instance: 'old-1',
    status: 500,
    latencyMs: 3,
    via: 'share',
    origin: 'instance',
  } as const;
  router.push(scope, [sample], 2);
  assert.deepEqual((await reader.next()).value, { samples: [sample], lost: 2 });
  router.push(
    scope,
    Array.from({ length: 100_005 }, () => sample),
  );
  const { value } = await reader.next();
  assert.deepEqual([value?.samples.length, value?.lost], [100_000, 5]);
  stop.abort();
  assert.equal((await reader.next()).done, true);
  assert.equal(router.readers(scope), 0);
});

test('a latency is the time that the clock moved while the request was in flight', async () => {
  const clock = new StandingClock();
  const router = new MemoryRouter({ clock });
  await router.apply(routes(1, 0));
  const reader = router.feed(scope, new AbortController().signal)[Symbol.asyncIterator]();
  const request = router.open(scope);
  clock.forward(250);
  request?.end(502);
  request?.end(200);
  assert.deepEqual((await reader.next()).value, {
    samples: [
      { at: 1_250, release: 'old', instance: 'old-1', status: 502, latencyMs: 250, via: 'share', origin: 'instance' },
    ],
    lost: 0,
  });
});
