import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../base/failure.ts';
import type { Release } from '../../../core/release.ts';
import type { Clock } from '../../../ports/clock.ts';
import { type ContractBehaviour, platformContract } from '../../../ports/platform.contract.ts';
import { createMemoryPlatform, type MemoryBehaviour, type MemoryPlatformCall } from './memory-platform.ts';

const scope = { service: 'shop', environment: 'production' };

/** A clock that jumps ahead whenever somebody sleeps. */
function jumpingClock(): Clock & { nowMs: number } {
  return {
    nowMs: 1000,
    now() {
      return this.nowMs;
    },
    async sleep(durationMs) {
      this.nowMs += durationMs;
    },
  };
}

function release(number: number): Release {
  return {
    id: `shop@${String(number).padStart(12, '0')}`,
    service: 'shop',
    artifact: { kind: 'directory', source: '/nowhere', digest: `sha256:${'0'.repeat(64)}` },
    run: { command: ['serve'], environment: {}, workingDirectory: '.', limits: {} },
  };
}

const behaviours: Readonly<Record<ContractBehaviour, MemoryBehaviour>> = {
  serves: {},
  'crashes at start': { crashesAtStart: 'exit code 3' },
  'cannot be run': { cannotRun: true },
  'ignores the request to end': { endsAfterMs: Infinity },
};

platformContract({
  name: 'memory',
  async open() {
    const platform = createMemoryPlatform({ clock: jumpingClock() });
    let releases = 0;
    return {
      platform,
      reopen: async () => platform,
      release: async (behaviour) => {
        const made = release((releases += 1));
        platform.behave(made.id, behaviours[behaviour]);
        return made;
      },
      answers: async (instance) => platform.answer(instance.address) === 'healthy',
      crash: async (instance) => platform.crash(instance.id),
      write: async (instance, lines) => lines.forEach((line) => platform.write(instance.id, line)),
      close: async () => {},
    };
  },
});

const group = { scope, release: release(1), deployment: 'd-1', instances: 2 };

test('a fault before an operation leaves everything as it was, a fault after it does not', async () => {
  let failAt: MemoryPlatformCall['moment'] = 'before';
  const platform = createMemoryPlatform({
    clock: jumpingClock(),
    fault: (call) => {
      if (call.operation === 'ensure' && call.moment === failAt)
        throw new Failure('disk.full', 'No.', { remedy: 'None.' });
    },
  });
  await assert.rejects(platform.ensure(group), { code: 'disk.full' });
  assert.equal(platform.view().length, 0);
  failAt = 'after';
  await assert.rejects(platform.ensure(group), { code: 'disk.full' });
  assert.equal(platform.view().length, 2);
});

test('the same calls give the same instances', async () => {
  const run = async () => {
    const platform = createMemoryPlatform({ clock: jumpingClock() });
    await platform.ensure(group);
    platform.crash('shop-000000000001-1');
    return platform.ensure({ ...group, instances: 3 });
  };
  assert.deepEqual(await run(), await run());
});

test('health follows the behaviour of the release', async () => {
  const clock = jumpingClock();
  const platform = createMemoryPlatform({ clock });
  const [instance] = await platform.ensure({ ...group, instances: 1 });
  assert.ok(instance);
  assert.equal(platform.answer(instance.address), 'healthy');
  platform.behave(instance.release, { healthyAfterMs: 500 });
  assert.equal(platform.answer(instance.address), 'unhealthy');
  clock.nowMs += 500;
  assert.equal(platform.answer(instance.address), 'healthy');
  platform.behave(instance.release, { unhealthy: true });
  assert.equal(platform.answer(instance.address), 'unhealthy');
  platform.crash(instance.id, 'signal SIGSEGV');
  assert.equal(platform.answer(instance.address), 'nobody');
  assert.equal(platform.view()[0]?.exit, 'signal SIGSEGV');
});

test('stopping takes as long as the instance needs, and no longer than the grace', async () => {
  const clock = jumpingClock();
  const platform = createMemoryPlatform({ clock });
  for (const [endsAfterMs, graceMs, spentMs] of [
    [300, 1000, 300],
    [5000, 1000, 1000],
    [0, 1000, 0],
  ] as const) {
    platform.behave(group.release.id, { endsAfterMs });
    await platform.ensure(group);
    const before = clock.now();
    await platform.stop({ scope, release: group.release.id, graceMs });
    assert.equal(clock.now() - before, spentMs);
  }
});
