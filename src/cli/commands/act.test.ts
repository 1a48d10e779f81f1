import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { afterEach } from 'node:test';

import { parseConfig } from '../../config/parse.ts';
import { Failure } from '../../base/failure.ts';
import type { Client, Command } from '../context.ts';
import { ran, start, until } from '../fixture-context.ts';
import { scope, stories } from '../fixture-story.ts';

const directories: string[] = [];

async function directory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  directories.push(made);
  return made;
}

afterEach(() => Promise.all(directories.splice(0).map((made) => rm(made, { recursive: true }))));

const shop = ['--service', 'shop', '-e', 'production'];

/** Takes an order, then goes through a story. */
function ordered(orders: Command[], story = stories.rolledBack()): Partial<Client> {
  const { rollout, records } = story;
  return {
    command: async (given, order, { actor }) => {
      assert.deepEqual(given, scope);
      assert.equal(actor, 'alice@desk');
      orders.push(order);
      return rollout;
    },
    detail: async () => ({ rollout, records }),
    async *stream() {},
  };
}

test('with a server, promote, pause and resume are given and reported', async () => {
  const orders: Command[] = [];
  const client = ordered(orders, stories.paused());
  const promoted = await ran(['promote', '--full', ...shop], { client });
  assert.equal(promoted.exitCode, 0);
  assert.match(promoted.stdout, /^● PAUSED {2}canary of shop\/production/);
  assert.match(promoted.stdout, /sluice abort --service shop -e production +all traffic back to stable at once/);
  await ran(['pause', '--reason', 'slow query', ...shop], { client });
  const json = await ran(['resume', '--json', ...shop], { client });
  assert.equal((JSON.parse(json.stdout) as { deployment: { status: string } }).deployment.status, 'PAUSED');
  assert.deepEqual(orders, [
    { kind: 'promote', full: true },
    { kind: 'pause', reason: 'slow query' },
    { kind: 'resume' },
  ]);
});

test('abort is followed to its end, and all traffic on stable is a success', async () => {
  const orders: Command[] = [];
  const { exitCode, stdout } = await ran(['abort', '--reason', 'checkout fails', ...shop], { client: ordered(orders) });
  assert.equal(exitCode, 0);
  assert.match(stdout, /✗ ROLLED_BACK {2}shop\/production stays on shop@3f9c2a1b7d04/);
  assert.deepEqual(orders, [{ kind: 'abort', reason: 'checkout fails' }]);
  const failed = await ran(['abort', ...shop], { client: ordered([], stories.failed()) });
  assert.equal(failed.exitCode, 5);
});

test('without a server whoever promotes or resumes carries the deployment on', async () => {
  const { exitCode, stdout } = await ran(['promote', ...shop], {
    mode: 'local',
    client: ordered([], stories.blueGreenVerified()),
  });
  assert.equal(exitCode, 0);
  assert.match(stdout, /✓ VERIFIED/);
  const pause = await ran(['pause', ...shop], { mode: 'local', client: ordered([], stories.paused()) });
  assert.equal(pause.exitCode, 0);
  assert.match(pause.stdout, /● PAUSED/);
});

test('an order that does not fit is refused with its reason', async () => {
  const command = (): never => {
    throw new Failure('deployment.none', 'no deployment of shop/production is under way', {
      at: 'shop/production',
      remedy: 'Look with `sluice status`.',
    });
  };
  const { exitCode, stderr } = await ran(['resume', ...shop], { client: { command } });
  assert.equal(exitCode, 2);
  assert.match(stderr, /error: no deployment of shop\/production is under way/);
});

test('rollback goes to the named release with its reason, without asking anything', async () => {
  const { rollout, records } = stories.blueGreenVerified();
  let seen: unknown;
  const client: Partial<Client> = {
    rollback: async (request) => ((seen = request), { ...rollout, status: 'INIT', version: 0 }),
    detail: async () => ({ rollout, records }),
    async *stream() {
      for (const record of records) yield { kind: 'record', record };
    },
  };
  const argv = ['rollback', '--to', 'shop@3f9c2a1b7d04', '--reason', 'orders are lost', ...shop];
  const { exitCode } = await ran(argv, { client, terminal: true });
  assert.equal(exitCode, 0);
  assert.deepEqual(seen, { scope, to: 'shop@3f9c2a1b7d04', reason: 'orders are lost', actor: 'alice@desk' });
  const dry = await ran([...argv, '--dry-run'], {
    client: { planRollback: async () => ({ plan: rollout.plan, digest: 'sha256:1' }) },
  });
  assert.match(dry.stdout, /^Plan: /);
});

const found = { releases: [{ id: 'shop@1', bytes: 1024 }], instances: [] };

test('prune shows what would go and asks; only a yes removes it', async () => {
  const dryRuns: boolean[] = [];
  const client: Partial<Client> = {
    prune: async ({ dryRun }) => {
      dryRuns.push(dryRun);
      return { ...found, dryRun };
    },
  };
  const no = await ran(['prune', ...shop], { client, terminal: true, typed: '\n' });
  assert.equal(no.exitCode, 0);
  assert.match(no.stdout, /Would remove 1 release/);
  assert.deepEqual(dryRuns.splice(0), [true]);
  const yes = await ran(['prune', ...shop], { client, terminal: true, typed: 'yes\n' });
  assert.match(yes.stdout, /\nRemoved 1 release/);
  assert.deepEqual(dryRuns.splice(0), [true, false]);
  await ran(['prune', '--yes', ...shop], { client });
  assert.deepEqual(dryRuns.splice(0), [false]);
  const json = await ran(['prune', '--json', ...shop], { client, terminal: true });
  assert.equal(json.exitCode, 2);
  assert.match(json.stdout, /"code":"prompt.unavailable".*"at":"--yes"/);
  assert.deepEqual(dryRuns, [true]);
});

test('server says where it listens, ends on a signal, and leaves what is under way', async () => {
  const ended = Promise.withResolvers<void>();
  let closes = 0;
  const server = {
    ended: ended.promise,
    close: async () => {
      closes += 1;
      ended.resolve();
    },
  };
  const run = start(['server', '--json'], { server });
  await until(() => run.listens(), 'it heeds signals');
  run.signal('SIGTERM');
  const { exitCode, stdout } = await run.done;
  assert.equal(exitCode, 0);
  assert.equal(closes, 1);
  assert.equal(stdout, '{"kind":"listening","addresses":["http://127.0.0.1:7433"]}\n');
});

test('a server that ends with an error is no success', async () => {
  const ended = Promise.reject(new Failure('store.full', 'the disk is full', { remedy: 'Free space.' }));
  const { exitCode } = await ran(['server'], { server: { ended } });
  assert.equal(exitCode, 6);
});

test('validate tells each check, and a failed one by its exit code', async () => {
  const cwd = await directory();
  await writeFile(
    join(cwd, 'sluice.yaml'),
    'service: shop\nrelease: { directory: ., command: node a.js }\nrouter: { embedded: { listen: 18080 } }\n',
  );
  const outcome = { name: 'GET /health', passed: false, attempts: 1, durationMs: 3, reason: 'answered 503' };
  let through: unknown;
  const client: Partial<Client> = {
    validate: async (request) => ((through = request.through), [outcome]),
  };
  const failed = await ran(['validate', '--preview'], { cwd, client });
  assert.equal(failed.exitCode, 1);
  assert.equal(through, 'preview');
  assert.equal(failed.stdout, '  ✗ GET /health: answered 503 (3 ms)\n1 of 1 checks failed.\n');
  const json = await ran(['validate', '--json'], { cwd, client });
  assert.deepEqual(JSON.parse(json.stdout), { passed: false, checks: [outcome] });
});

test('init writes a configuration that is valid, and never over another', async () => {
  const cwd = await directory();
  await mkdir(join(cwd, 'build'));
  await writeFile(join(cwd, 'package.json'), '{"name":"@acme/Web Shop","scripts":{"start":"node build/main.js"}}');
  const first = await ran(['init', '--yes', '--listen', '18080'], { cwd });
  assert.equal(first.exitCode, 0);
  const text = await readFile(join(cwd, 'sluice.yaml'), 'utf8');
  const { service, environments } = parseConfig(text, 'sluice.yaml');
  assert.equal(service, 'web-shop');
  assert.equal(environments['production']?.release.directory, './build');
  assert.match(text, /node build\/main\.js/);
  const again = await ran(['init', '--yes'], { cwd });
  assert.equal(again.exitCode, 2);
  assert.match(again.stderr, /sluice\.yaml exists already/);
  assert.match(again.stderr, /--force/);
  assert.equal(await readFile(join(cwd, 'sluice.yaml'), 'utf8'), text);
  const forced = await ran(['init', '--yes', '--force', '--service', 'other', '--json'], { cwd });
  assert.equal((JSON.parse(forced.stdout) as { service: string }).service, 'other');
  assert.deepEqual((await readdir(cwd)).toSorted(), ['build', 'package.json', 'sluice.yaml']);
});

test('init asks on a terminal, and names every missing answer at once where nobody can answer', async () => {
  const cwd = await directory();
  const typed = 'shop\n./dist\nnode server.js\n18080\ntcp\n3\n';
  const asked = await ran(['init'], { cwd, terminal: true, typed });
  assert.equal(asked.exitCode, 0, asked.stderr);
  const config = parseConfig(await readFile(join(cwd, 'sluice.yaml'), 'utf8'), 'sluice.yaml');
  assert.equal(config.environments['production']?.strategy.name, 'rolling');
  const elsewhere = await directory();
  const script = await ran(['init', '--service', 'shop', '--json'], { cwd: elsewhere, terminal: true });
  assert.equal(script.exitCode, 2);
  const { error } = JSON.parse(script.stdout) as { error: { code: string; at: string } };
  assert.equal(error.code, 'prompt.unavailable');
  assert.equal(error.at, '--directory, --command, --listen, --health, --strategy');
});

test('init writes nothing when an answer is wrong', async () => {
  const cwd = await directory();
  const { exitCode } = await ran(['init', '--yes', '--listen', 'eighty'], { cwd });
  assert.equal(exitCode, 2);
  assert.deepEqual(await readdir(cwd), []);
});

test('config check names the service and its environments, or every problem', async () => {
  const cwd = await directory();
  await ran(['init', '--yes', '--service', 'shop', '--listen', '18080'], { cwd });
  for (const argv of [['config', 'check'], ['validate-config']]) {
    const good = await ran(argv, { cwd });
    assert.equal(good.exitCode, 0);
    assert.match(good.stdout, /✓ .*sluice\.yaml\n {2}service shop, 1 environment: production\n/);
  }
  await writeFile(join(cwd, 'sluice.yaml'), 'service: shop\nrelase: {}\ninstances: many\n');
  const bad = await ran(['config', 'check', '--json'], { cwd });
  assert.equal(bad.exitCode, 2);
  const { error } = JSON.parse(bad.stdout) as { error: { code: string; details: { problems: unknown[] } } };
  assert.equal(error.code, 'config.invalid');
  assert.ok(error.details.problems.length >= 2);
});

test('config show prints what an environment comes to', async () => {
  const cwd = await directory();
  await ran(['init', '--yes', '--service', 'shop', '--listen', '18080'], { cwd });
  const json = await ran(['config', 'show', '--json'], { cwd });
  assert.deepEqual((JSON.parse(json.stdout) as { scope: unknown }).scope, scope);
  const yaml = await ran(['config', 'show'], { cwd });
  assert.match(yaml.stdout, /^scope:\n {2}service: shop\n/);
});
