import assert from 'node:assert/strict';
import test from 'node:test';

import type { Rollout } from '../../core/rollout/rollout.ts';
import type { Routes } from '../../core/routes.ts';
import {
  blueGreen,
  instance,
  judgement,
  newRelease,
  noon,
  oldRelease,
  scope,
  spec,
  stories,
} from '../fixture-story.ts';
import { lines, look } from './fixture-look.ts';
import { renderScope, renderScopes, type ScopeView } from './status.ts';

const stable = {
  release: oldRelease,
  spec: spec(blueGreen),
  deployment: 'd-0',
  instances: 2,
  since: noon - 172_800_000,
};
const before = { ...stable, release: newRelease, since: noon - 864_000_000 };

function routes(...shares: readonly (readonly [string, number])[]): Routes {
  return {
    scope,
    revision: 4,
    groups: shares.map(([release, share]) => ({ release, share, endpoints: [] })),
    rules: [],
  };
}

function view(changes: Partial<ScopeView> = {}): ScopeView {
  return {
    situation: { scope, stable, earlier: [before], revision: 4 },
    attended: true,
    served: true,
    instances: [instance('a', oldRelease, 4001), instance('b', oldRelease, 4002)],
    routes: routes([oldRelease.id, 10_000]),
    ...changes,
  };
}

const holder = { controller: 'c-1', host: 'desk', pid: 4711, started: '99' };
const lease = { scope, fence: 3, holder, since: noon, until: noon + 30_000 };

function underWay(rollout: Rollout, changes: Partial<ScopeView> = {}): ScopeView {
  const candidate = routes([oldRelease.id, 10_000 - rollout.share], [newRelease.id, rollout.share]);
  return view({ active: rollout, lease, routes: candidate, ...changes });
}

test('a canary in progress: state, traffic, who, steps, evidence, and the commands at hand', () => {
  const { rollout } = stories.canaryInProgress();
  const live = { at: rollout.at, judgement: judgement('inconclusive', 330, 1), requestsPerSecond: 184.2 };
  assert.deepEqual(
    renderScope(underWay(rollout, { live }), look(rollout.at + 3000)),
    lines(`
● CANARY_WAITING  canary of shop/production                              1m52s
  watches the new release; more time or requests are needed

  on trial  shop@8d1f0a2b3c4d (1.4.2)
  stable    shop@3f9c2a1b7d04 (1.4.1)
  traffic   ████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  10 % on trial, 90 % stable
  begun     13:00:00 by alice@desk, d-20261121-7k3f9q
            newest event 3s ago; goes back by itself in 2h28m if it has not
            ended
  attended  process 4711 on desk, since 13:00:00
  instances 2 running: 127.0.0.1:4001, 127.0.0.1:4002

    4 done before
  ✓ 1 % of traffic to shop@8d1f0a2b3c4d
  ✓ stage 1 of 3, 1 %: at least 1m, 100 requests, 2 gates
  ✓ 10 % of traffic to shop@8d1f0a2b3c4d
  ▸ stage 2 of 3, 10 %: at least 1m, 500 requests, 2 gates
    at least 15s more, 312 of 500 requests, pauses for a person in 59m15s
  · 100 % of traffic to shop@8d1f0a2b3c4d
  · promote shop@8d1f0a2b3c4d, shop@3f9c2a1b7d04 stays warm for 10m
  · validate shop@8d1f0a2b3c4d through the router: 1 check

            requests  errors    p50    p95    p99   184/s together
  on trial       330   0.3 %  12 ms  41 ms  88 ms
  stable      10,840  0.08 %  11 ms  39 ms  84 ms
  ? error rate at most 5 %: error rate is 0.3 % on 330 requests, allowed is at
    most 5 %
  ? p95 at most 20 % worse than stable: p95 is 41 ms against 39 ms of stable on
    330 and 10840 requests, allowed is 47 ms

  What you can do:
    sluice status --watch -e production  follow it to its end
    sluice abort -e production           all traffic back to stable at once
    sluice pause -e production           stay at this share until you go on
    sluice promote -e production         on to the next step now
    sluice promote --full -e production  all traffic to the new release now
`),
  );
});

test('a paused deployment says why, by whom it goes on, and that no deadline runs', () => {
  const { rollout } = stories.paused();
  const text = renderScope(underWay(rollout), look(rollout.at + 3000)).join('\n');
  assert.match(text, /^● PAUSED {2}canary of shop\/production/);
  assert.match(text, /why {7}look at the slow query first/);
  assert.match(text, /no deadline runs while it waits/);
  assert.match(text, /sluice resume -e production {10}go on where it stopped/);
});

test('a deployment that nobody attends says so, and how it is taken up', () => {
  const { rollout } = stories.canaryInProgress();
  const text = renderScope(underWay(rollout, { attended: false }), look(rollout.at)).join('\n');
  assert.match(text, /ALONE {5}the controller \(process 4711 on desk\) is gone: traffic stays as it\s+is/);
  assert.match(text, /`sluice server`/);
});

test('a router that does something else than ordered is told of', () => {
  const { rollout } = stories.canaryInProgress();
  const other = underWay(rollout, { routes: routes([oldRelease.id, 5000], [newRelease.id, 5000]) });
  assert.match(
    renderScope(other, look(rollout.at)).join('\n'),
    /router {4}gives shop@8d1f0a2b3c4d 50 % now; ordered is 10 %/,
  );
  const silent = renderScope({ ...other, routes: undefined }, look(rollout.at)).join('\n');
  assert.match(silent, /router {4}has no routes, or does not answer/);
});

test('between deployments: what is stable, what is warm, what is watched, what came last', () => {
  const { rollout } = stories.blueGreenVerified();
  const situation = {
    scope,
    stable,
    earlier: [before],
    revision: 4,
    warm: { placement: before, until: noon + 480_000 },
    watch: { deployment: 'd-0', until: noon + 780_000 },
  };
  assert.deepEqual(
    renderScope(view({ situation, last: rollout }), look()),
    lines(`
● shop/production  steady; no deployment is under way

  stable    shop@3f9c2a1b7d04 (1.4.1), since 2026-11-19 13:00:00 (2d)
  before    shop@8d1f0a2b3c4d (1.4.2), warm for 8m more: going back is one
            switch
  watched   for 13m more: a failing gate or health goes back by itself
  traffic   100 % to shop@3f9c2a1b7d04
  instances 2 running: 127.0.0.1:4001, 127.0.0.1:4002
  last      VERIFIED 13:00:03, shop@8d1f0a2b3c4d (1.4.2) by alice@desk

  What you can do:
    sluice deploy -e production    deploy a new release
    sluice rollback -e production  back to shop@8d1f0a2b3c4d, one switch
    sluice history -e production   earlier deployments
`),
  );
});

test('without a server nobody watches, and the status says so', () => {
  const situation = { scope, stable, earlier: [], revision: 4, watch: { deployment: 'd-0', until: noon + 780_000 } };
  const text = renderScope(view({ situation, served: false }), look()).join('\n');
  assert.match(text, /watched {3}by nobody: no server is at work\. `sluice server` watches for the\s+13m/);
});

test('after a failure the first line says that a person must look, and the failure says what to do', () => {
  const { rollout } = stories.failed();
  const shown = renderScope(
    view({ last: rollout, routes: routes([oldRelease.id, 9900], [newRelease.id, 100]) }),
    look(rollout.at),
  );
  assert.equal(shown[0], '✗ shop/production  the last deployment FAILED: a person must look');
  const text = shown.join('\n');
  assert.match(text, /traffic {3}99 % to shop@3f9c2a1b7d04, 1 % to shop@8d1f0a2b3c4d/);
  assert.match(text, /do {8}Start it with `sluice server`, then send all traffic back with/);
  assert.match(text, /sluice history show d-20261121-7k3f9q -e production/);
});

test('after a rollback by itself the status still says why', () => {
  const { rollout } = stories.rolledBack();
  const shown = renderScope(view({ last: rollout }), look(rollout.at));
  assert.equal(shown[0], '● shop/production  steady; the last deployment went back');
  assert.match(shown.join('\n'), /why {7}error rate is 25 % on 24 requests, allowed is at most 5 %/);
});

test('an instance that ended by itself is named with what is known of its end', () => {
  const exited = { ...instance('shop-b', oldRelease, 4002), state: 'exited', exit: 'signal SIGSEGV' } as const;
  const text = renderScope(view({ instances: [instance('a', oldRelease, 4001), exited] }), look()).join('\n');
  assert.match(text, /1 running: 127\.0\.0\.1:4001/);
  assert.match(text, /shop-b of shop@3f9c2a1b7d04 ended: signal SIGSEGV/);
});

test('an empty store says how to begin', () => {
  assert.deepEqual(renderScopes([], look()), [
    'Nothing is deployed yet.',
    '',
    '  Begin with sluice deploy, or see everything at work with sluice demo.',
  ]);
});

test('a scope that never had a stable release says so', () => {
  const shown = renderScope(
    view({ situation: { scope, earlier: [], revision: 0 }, instances: [], routes: undefined }),
    look(),
  );
  assert.equal(shown[0], '● shop/production  no release is stable yet');
  assert.ok(!shown.some((line) => line.includes('router')));
});
