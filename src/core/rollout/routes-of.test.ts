import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary, planWith, scope, specWith } from '../../../test/engine/specs.ts';
import { endpoints, Walk } from '../../../test/engine/walk.ts';
import { release } from '../../../test/engine/specs.ts';
import { shareOf, type Routes } from '../routes.ts';
import { idleRoutes } from './idle-routes.ts';
import { routesOf } from './routes-of.ts';
import { emptySituation } from './situation.ts';

const match = [{ header: 'x-canary', equals: 'yes' }] as const;
const sticky = { cookie: 'sluice', maxAgeMs: 60_000 };
const trial = planWith({ strategy: { ...canary, match, sticky } });

/** `old 90 % ×2, new 10 % ×2`. */
function words(routes: Routes): string {
  return routes.groups
    .map((group) => `${group.release.slice(5)} ${group.share / 100} % ×${group.endpoints.length}`)
    .join(', ');
}

test('the shares of both releases add up at every stage', () => {
  const walk = new Walk(trial).start();
  assert.equal(words(routesOf(walk.rollout)), 'old 100 % ×2');
  assert.equal(words(routesOf(walk.until('CANARY').rollout)), 'old 90 % ×2, new 10 % ×2');
  assert.equal(shareOf(routesOf(walk.rollout), 'shop@new'), 1_000);
  assert.equal(shareOf(routesOf(walk.rollout), 'shop@other'), 0);
  assert.equal(words(routesOf(walk.until('PROMOTING').rollout)), 'old 0 % ×2, new 100 % ×2');
});

test('match rules hold while the release is on trial with traffic of its own, and end with its promotion', () => {
  const walk = new Walk(trial).until('DEPLOYING').done();
  assert.deepEqual(routesOf(walk.rollout).rules, [], 'no traffic yet');
  walk.until('CANARY_WAITING');
  assert.deepEqual(routesOf(walk.rollout).rules, [{ release: 'shop@new', match: match[0] }]);
  walk.until('PROMOTED');
  assert.deepEqual(routesOf(walk.rollout).rules, []);
});

test('on the way back nobody is sent to the candidate by a rule', () => {
  const walk = new Walk(trial).until('CANARY_WAITING').take({ kind: 'abort', reason: 'enough' });
  const [effect] = walk.issued;
  assert.ok(effect?.action.kind === 'apply');
  assert.deepEqual(effect.action.routes.rules, []);
  assert.equal(words(effect.action.routes), 'old 100 % ×2, new 0 % ×2');
});

test('also where stable must be started before it can have the traffic back, no rule sends anybody to the candidate', () => {
  const walk = new Walk(trial).until('CANARY_WAITING');
  const lost = { kind: 'fleet-changed', role: 'stable', endpoints: [], reason: 'all of stable ended' } as const;
  walk.take(lost).take({ kind: 'abort', reason: 'enough' }).take(lost);
  assert.equal(walk.rollout.share, 1_000, 'its share stays until somebody else can serve');
  assert.deepEqual(routesOf(walk.rollout).rules, []);
});

test('visitors are kept with their release only where the strategy says so', () => {
  assert.deepEqual(routesOf(new Walk(trial).start().rollout).sticky, sticky);
  assert.equal('sticky' in routesOf(new Walk(planWith({ strategy: canary })).start().rollout), false);
  assert.equal('sticky' in routesOf(new Walk(planWith()).start().rollout), false);
});

test('the preview address shows the candidate from its start to its promotion or its end', () => {
  const walk = new Walk(trial).start();
  assert.equal(routesOf(walk.rollout).preview, undefined);
  walk.untilAwaiting('validate');
  assert.equal(routesOf(walk.rollout).preview, 'shop@new');
  const back = walk.branch().take({ kind: 'abort', reason: 'enough' }).untilAwaiting('stop');
  assert.equal(routesOf(back.rollout).preview, undefined);
  assert.equal(routesOf(walk.until('PROMOTED').rollout).preview, undefined);
});

test('a first deployment has no group but its own, and none before it serves', () => {
  const walk = new Walk(planWith({}, { stable: undefined, stableInstances: 0, stableWanted: 0 })).start();
  assert.equal(words(routesOf(walk.rollout)), '');
  assert.equal(words(routesOf(walk.until('PROMOTING').rollout)), 'new 100 % ×2');
});

test('every computation of routes has the next revision', () => {
  const { rollout } = new Walk(trial).start();
  assert.equal(routesOf(rollout).revision, rollout.revision + 1);
  assert.deepEqual(routesOf(rollout).scope, scope);
});

test('idle routes give everything to stable and keep the warm release connected', () => {
  const placement = { release: release('old'), spec: specWith(), deployment: 'd-1', instances: 2, since: 0 };
  const warm = { placement: { ...placement, release: release('older') }, until: 9 };
  const situation = { ...emptySituation(scope), stable: placement, revision: 4 };
  assert.equal(words(idleRoutes(situation, endpoints('old', 2), [])), 'old 100 % ×2');
  const routes = idleRoutes({ ...situation, warm }, endpoints('old', 2), endpoints('older', 1));
  assert.equal(words(routes), 'old 100 % ×2, older 0 % ×1');
  assert.equal(routes.revision, 5);
  assert.equal(words(idleRoutes(emptySituation(scope), [], [])), '');
});
