import assert from 'node:assert/strict';
import test from 'node:test';

import type { Situation } from '../../core/rollout/situation.ts';
import { ran } from '../fixture-context.ts';
import type { Client, ScopeStatus } from '../context.ts';
import { instance, noon, oldRelease, scope, spec, blueGreen, stories } from '../fixture-story.ts';

const shop = ['--service', 'shop', '-e', 'production'];
const running = [instance('shop-a', oldRelease, 4001), instance('shop-b', oldRelease, 4002)];

const stable = { release: oldRelease, spec: spec(blueGreen), deployment: 'd-0', instances: 2, since: noon - 60_000 };
const settled: Situation = { scope, stable, earlier: [], revision: 4 };

function view(changes: Partial<ScopeStatus> = {}): ScopeStatus {
  return { situation: settled, attended: false, instances: running, ...changes };
}

/** Says how the service stands, and notes what is taken away and why. */
function client(reasons: string[], status = view()): Partial<Client> {
  return {
    status: async () => [status],
    remove: async ({ reason, actor, scope: given }) => {
      assert.deepEqual([given, actor], [scope, 'alice@desk']);
      reasons.push(reason);
      return { instances: running.map(({ id }) => id), releases: [oldRelease.id] };
    },
    history: async () => [stories.blueGreenVerified().rollout],
  };
}

test('remove shows what would end and asks; only a yes takes it away', async () => {
  const reasons: string[] = [];
  const no = await ran(['remove', ...shop], { client: client(reasons), terminal: true, typed: '\n' });
  assert.equal(no.exitCode, 0);
  assert.match(no.stdout, /shop\/production would be taken away[\s\S]*2 running: 127\.0\.0\.1:4001/);
  assert.deepEqual(reasons, []);
  const yes = await ran(['remove', '--reason', 'moved', ...shop], {
    client: client(reasons),
    terminal: true,
    typed: 'yes\n',
  });
  assert.match(yes.stdout, /is gone: 2 instances stopped, and nothing listens/);
  assert.deepEqual(reasons.splice(0), ['moved']);
  const json = await ran(['remove', '--json', ...shop], { client: client(reasons) });
  assert.deepEqual([json.exitCode, reasons], [2, []]);
  assert.match(json.stdout, /"code":"prompt.unavailable".*"at":"--yes"/);
  const sure = await ran(['remove', '--json', '--yes', ...shop], { client: client(reasons) });
  assert.deepEqual(JSON.parse(sure.stdout), {
    instances: ['shop-a', 'shop-b'],
    releases: [oldRelease.id],
    dryRun: false,
  });
});

test('a dry run takes nothing away', async () => {
  const reasons: string[] = [];
  const plain = await ran(['remove', '--dry-run', ...shop], { client: client(reasons) });
  assert.match(plain.stdout, /would be taken away/);
  const json = await ran(['remove', '--dry-run', '--json', ...shop], { client: client(reasons) });
  assert.deepEqual(JSON.parse(json.stdout), {
    instances: ['shop-a', 'shop-b'],
    releases: [oldRelease.id],
    dryRun: true,
  });
  const nothing = view({ situation: { scope, earlier: [], revision: 0 }, instances: [] });
  const none = await ran(['remove', '--dry-run', ...shop], { client: client(reasons, nothing) });
  assert.equal(none.stdout, 'Nothing of shop/production runs or is routed here.\n');
  assert.deepEqual(reasons, []);
  const mistyped = await ran(['remove', '--dry-run', ...shop], {
    client: { ...client(reasons, nothing), history: async () => [] },
  });
  assert.deepEqual([mistyped.exitCode, mistyped.stdout], [2, '']);
  assert.match(mistyped.stderr, /nothing was ever deployed in shop\/production/);
});

test('while a deployment is under way nothing is asked', async () => {
  const reasons: string[] = [];
  const active = view({ active: stories.canaryInProgress().rollout });
  const { exitCode, stderr } = await ran(['remove', '--yes', ...shop], { client: client(reasons, active) });
  assert.deepEqual([exitCode, reasons], [4, []]);
  assert.match(stderr, /is under way[\s\S]*sluice abort/);
});

test('the status says by whom it was taken away, and when something of it is left', async () => {
  const removal = { at: noon - 60_000, actor: 'bob@desk', reason: 'moved', spec: spec(blueGreen), finished: true };
  const taken = (finished: boolean): ScopeStatus =>
    view({
      situation: { scope, earlier: [stable], revision: 5, removal: { ...removal, finished } },
      instances: finished ? [] : running,
    });
  const gone = await ran(['status', ...shop], { client: client([], taken(true)) });
  assert.match(gone.stdout, /shop\/production {2}taken away 12:59:00 by bob@desk/);
  assert.doesNotMatch(gone.stdout, /sluice rollback|sluice remove/);
  const left = await ran(['status', ...shop], { client: client([], taken(false)) });
  assert.match(left.stdout, /not all of it is gone[\s\S]*sluice remove .*take away what is left of it/);
});
