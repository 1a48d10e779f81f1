// The statistical gate on the real proxy under real traffic: what is bad goes back, what is well is promoted, and a kill -9 forgets little.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { GateState } from '../../src/core/gate/statistics/gate.ts';
import { openSqliteStore } from '../../src/drivers/store/sqlite/driver.ts';
import { placesUnder } from '../../src/places.ts';
import { Lane } from '../bench/live/lane.ts';
import { Site } from '../load/site.ts';

const perSecond = 200;
const well = { errors: 0, slower: 1 };

describe('the gate, live', { timeout: 240_000 }, () => {
  let site: Site;
  let lane: Lane;

  before(async () => {
    site = await Site.open();
    lane = await Lane.open(site, 'shop', perSecond);
  });
  after(async () => {
    await lane?.close();
    await site?.close();
  });

  it('takes a release out that fails one request in five, after a handful of them', async () => {
    const { rollout, seen } = await lane.deploy({ errors: 0.2, slower: 1 }, 'default', '60s');
    assert.equal(rollout.status, 'ROLLED_BACK', rollout.reason);
    assert.match(rollout.reason ?? '', /fails more requests than stable/);
    // The median is 3; this many come once in some ten thousand runs.
    assert.ok(seen.failed <= 15, `${seen.failed} of ${seen.requests} requests failed`);
  });

  it('promotes a release that is well, on evidence that the record keeps', async () => {
    const { rollout } = await lane.deploy(well, 'default', '1s');
    assert.equal(rollout.status, 'VERIFIED', rollout.reason);
    const [stage] = rollout.judgements;
    assert.equal(stage?.judgement.outcome, 'pass');
    assert.match(stage.judgement.statistics?.words.join('\n') ?? '', /evidence for passing/);
  });

  it('goes on after a kill -9 from what was written down, and judges no request twice', async () => {
    const rollout = await lane.begin(well, { preset: 'default', wrongPasses: '0.001%' }, '1s');
    await site.when(rollout, (record) => record.to === 'CANARY_WAITING');
    const written = await eventually(async () => {
      const gate = await gateOf(rollout.id);
      return gate !== undefined && gate.totals.candidate.requests >= 20 ? gate : undefined;
    });
    const killedAt = Date.now();
    await site.killServer();
    const startedAt = Date.now();
    const later = await eventually(async () => {
      const gate = await gateOf(rollout.id);
      return gate !== undefined && gate.lastAt > startedAt + 500 ? gate : undefined;
    });
    assert.equal(later.startedAt, written.startedAt);
    assert.ok(later.totals.candidate.requests > written.totals.candidate.requests);
    const seen = lane.seen(rollout).requests;
    assert.ok(later.totals.candidate.requests <= seen + 5, `${later.totals.candidate.requests} of ${seen} requests`);
    // Missing are those from the last checkpoint to the end of the start, 20 a second, and no others.
    const missing = seen - later.totals.candidate.requests;
    const awayMs = startedAt - killedAt;
    assert.ok(missing <= (20 * (awayMs + 8_000)) / 1000, `${missing} requests were not judged`);
    assert.equal((await site.ended(rollout)).status, 'VERIFIED');
  });

  /** What is written down of the deployment's gate. */
  async function gateOf(deployment: string): Promise<GateState | undefined> {
    const store = openSqliteStore({ file: placesUnder(site.home).store });
    try {
      const [state] = await store.scopes(lane.scope);
      return state?.trial?.deployment === deployment ? state.trial.gate : undefined;
    } finally {
      store.close();
    }
  }
});

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const givesUpAt = Date.now() + 60_000; ;) {
    const found = await look();
    if (found !== undefined) return found;
    assert.ok(Date.now() < givesUpAt, 'waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
