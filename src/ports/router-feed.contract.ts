// The part of the router contract about the feed.

import assert from 'node:assert/strict';

import type { Sample, SampleBatch } from '../core/gate/sample.ts';
import { oneRelease, type RouterHarness, routesOf, twoReleases, type Within, withShare } from './router-harness.ts';

/** `byChance`: shares are only kept over many requests. */
export function feeding(within: Within, byChance: boolean): void {
  within('the feed tells every finished request once', async (harness, context) => {
    if (!harness.router.capabilities.feed) return context.skip('the router declares that it has no feed');
    const [old, fresh] = await twoReleases(harness);
    await harness.router.apply(routesOf(harness, 1, [withShare(old, 5_000), withShare(fresh, 5_000)]));
    const seen = await collect(harness, 50, async () => {
      for (let sent = 0; sent < 50; sent++) await harness.request();
    });
    assert.equal(seen.lost, 0);
    assert.equal(seen.samples.length, 50);
    if (byChance) assert.deepEqual(Object.keys(countOf(seen.samples)).sort(), ['new-1', 'old-1']);
    else assert.deepEqual(countOf(seen.samples), { 'new-1': 25, 'old-1': 25 });
    for (const sample of seen.samples) {
      assert.deepEqual([sample.status, sample.via, sample.origin], [200, 'share', 'instance']);
      assert.equal(sample.release, sample.instance.slice(0, 3));
      assert.ok(sample.latencyMs >= 0 && sample.at > 0);
    }
  });

  within('the feed says how a request came to its release', async (harness, context) => {
    const { feed, preview, rules } = harness.router.capabilities;
    if (!feed || !preview || !rules.header)
      return context.skip('the router declares that it lacks a feed, a preview or header rules');
    const [old, fresh] = await twoReleases(harness);
    await harness.router.apply({
      ...routesOf(harness, 1, [withShare(old, 10_000), withShare(fresh, 0)]),
      rules: [{ release: 'new', match: { header: 'x-canary', equals: 'always' } }],
      preview: 'new',
    });
    const seen = await collect(harness, 3, async () => {
      await harness.request();
      await harness.request({ headers: { 'x-canary': 'always' } });
      await harness.request({ preview: true });
    });
    assert.deepEqual(
      seen.samples.map((sample) => `${sample.instance} ${sample.via}`),
      ['old-1 share', 'new-1 rule', 'new-1 preview'],
    );
  });

  within('the feed ends when its signal aborts', async (harness, context) => {
    if (!harness.router.capabilities.feed) return context.skip('the router declares that it has no feed');
    await harness.router.apply(await oneRelease(harness, 1));
    const stop = new AbortController();
    const ended = (async () => {
      for await (const batch of harness.router.feed(harness.scope, stop.signal)) assert.equal(batch.lost, 0);
    })();
    stop.abort();
    await ended;
  });
}

/** Reads the feed of what `send` does, which finishes `count` requests. */
async function collect(harness: RouterHarness, count: number, send: () => Promise<void>): Promise<SampleBatch> {
  const stop = new AbortController();
  const seen: { samples: Sample[]; lost: number } = { samples: [], lost: 0 };
  const reading = (async () => {
    for await (const batch of harness.router.feed(harness.scope, stop.signal)) {
      seen.samples.push(...batch.samples);
      seen.lost += batch.lost;
    }
  })();
  // A feed begins at some moment after the call: requests are sent until one is heard of, and until no more of them come.
  await until(async () => {
    await harness.request();
    await pause();
    return seen.samples.length > 0;
  });
  let before = -1;
  await until(async () => {
    before = seen.samples.length;
    await pause();
    return seen.samples.length === before;
  });
  seen.samples.length = 0;
  await send();
  await until(async () => {
    await pause();
    return seen.samples.length >= count;
  });
  stop.abort();
  await reading;
  return seen;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) if (await holds()) return;
  assert.fail('the feed told of nothing for half a minute');
}

/** Longer than a feed may hold samples back. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 300);
  });
}

function countOf(samples: readonly Sample[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { instance } of samples) counts[instance] = (counts[instance] ?? 0) + 1;
  return counts;
}
