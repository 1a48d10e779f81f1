import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import type { LogLine } from '../../core/instance.ts';
import type { Scope } from '../../core/scope.ts';
import type { Client, LogsRequest, ScopeStatus } from '../context.ts';
import { ran, start, until } from '../fixture-context.ts';
import { instance, noon, oldRelease, scope, stories } from '../fixture-story.ts';

const directories: string[] = [];

async function directoryWith(text?: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  directories.push(directory);
  if (text !== undefined) await writeFile(join(directory, 'sluice.yaml'), text);
  return directory;
}

const twoEnvironments = `service: shop
release: { directory: ./dist, command: node server.js }
health: { path: /health }
environments:
  staging: { router: { embedded: { listen: 18080 } } }
  production: { router: { embedded: { listen: 18081 } } }
`;

let empty = '';
let two = '';
let broken = '';

before(async () => {
  empty = await directoryWith();
  two = await directoryWith(twoEnvironments);
  broken = await directoryWith(twoEnvironments.replace('health:', 'helth:'));
});

after(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true }))));

function steady(scope: Scope): ScopeStatus {
  return { situation: { scope, earlier: [], revision: 0 }, attended: false, instances: [] };
}

const blog = { service: 'blog', environment: 'production' };
const staging = { service: 'shop', environment: 'staging' };

/** Three scopes in which nothing is under way. */
function several(asked: (Scope | undefined)[] = []): Partial<Client> {
  return {
    status: async (only) => {
      asked.push(only);
      return only === undefined ? [steady(staging), steady(blog), steady(scope)] : [steady(only)];
    },
    history: async () => [],
  };
}

const names = (stdout: string): readonly string[] => stdout.split('\n').filter((line) => line.startsWith('●'));

test('status shows every environment of the configured service, and everything without a configuration', async () => {
  const own = await ran(['status'], { cwd: two, client: several() });
  assert.deepEqual(names(own.stdout), [
    '● shop/production  no release is stable yet',
    '● shop/staging  no release is stable yet',
  ]);
  const all = await ran(['status'], { cwd: empty, client: several() });
  assert.equal(names(all.stdout).length, 3);
  const one = await ran(['status', '--env', 'staging'], { cwd: two, client: several() });
  assert.equal(names(one.stdout).length, 1);
});

test('with --service and --env no configuration is read, and only that scope is asked for', async () => {
  const asked: (Scope | undefined)[] = [];
  const argv = ['status', '--service', 'blog', '-e', 'production'];
  const { exitCode } = await ran(argv, { cwd: broken, client: several(asked) });
  assert.equal(exitCode, 0);
  assert.deepEqual(asked, [blog]);
});

test('a mistyped configuration does not keep anybody from looking', async () => {
  const { exitCode, stdout, stderr } = await ran(['status'], { cwd: broken, client: several() });
  assert.equal(exitCode, 0);
  assert.equal(names(stdout).length, 2);
  assert.equal(stderr, '');
  const nameless = await directoryWith(twoEnvironments.replace('service: shop', 'servise: shop'));
  const all = await ran(['status'], { cwd: nameless, client: several() });
  assert.equal(names(all.stdout).length, 3);
  assert.match(all.stderr, /The configuration is not valid, so everything is shown: .*/);
});

test('status has the newest deployment beside a scope without one under way, also as JSON', async () => {
  const last = stories.rolledBack().rollout;
  const client = { ...several(), history: async () => [last] };
  const { stdout } = await ran(['status', '--json', '-e', 'production'], { cwd: two, client });
  const { scopes } = JSON.parse(stdout) as { scopes: { last: { status: string } }[] };
  assert.equal(scopes[0]?.last.status, 'ROLLED_BACK');
});

test('status --watch follows what is under way from now on, and exits as deploy would', async () => {
  const story = stories.rolledBack();
  const [last, ...earlier] = story.records.toReversed();
  assert.ok(last !== undefined);
  const active = { ...story.rollout, status: 'ROLLING_BACK', version: story.rollout.version - 1 } as const;
  let detailed = 0;
  const client: Partial<Client> = {
    status: async () => [{ ...steady(scope), active }],
    detail: async () => {
      detailed += 1;
      return detailed === 1
        ? { rollout: active, records: earlier.toReversed() }
        : { rollout: story.rollout, records: story.records };
    },
    async *stream(query) {
      assert.equal(query.after, last.sequence - 1);
      yield { kind: 'record', record: last };
    },
  };
  const { exitCode, stdout } = await ran(['status', '--watch'], { cwd: two, client });
  assert.equal(exitCode, 1);
  assert.equal(stdout.split('\n').filter((line) => /^13:00:0\d/.test(line)).length, 1);
  assert.match(stdout, /✗ ROLLED_BACK/);
});

test('Ctrl-C while watching only leaves, also where there is no server', async () => {
  const story = stories.canaryInProgress();
  const client: Partial<Client> = {
    status: async () => [{ ...steady(scope), active: story.rollout }],
    detail: async () => ({ rollout: story.rollout, records: story.records }),
    async *stream(_query, signal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield* [];
    },
  };
  const run = start(['status', '--watch'], { cwd: two, client, mode: 'local', terminal: true });
  await until(() => run.written().includes('CANARY_WAITING'), 'it watches');
  run.signal('SIGINT');
  const { exitCode, closed } = await run.done;
  assert.equal(exitCode, 130);
  assert.deepEqual(closed, ['leave']);
});

test('status --watch with nothing under way shows the status and says so', async () => {
  const { exitCode, stderr, stdout } = await ran(['status', '--watch'], { cwd: two, client: several() });
  assert.equal(exitCode, 0);
  assert.equal(names(stdout).length, 2);
  assert.equal(stderr, 'Nothing is under way to be watched.\n');
});

test('history asks each environment of the service, and puts the newest first', async () => {
  const older = { ...stories.rolledBack().rollout, id: 'd-older', createdAt: noon - 60_000 };
  const newer = { ...stories.blueGreenVerified().rollout, id: 'd-newer' };
  const client: Partial<Client> = {
    ...several(),
    history: async ({ scope, limit }) => {
      assert.equal(limit, 2);
      return scope?.environment === 'staging' ? [older] : [newer, older];
    },
  };
  const { stdout } = await ran(['history', '--limit', '2', '--json'], { cwd: two, client });
  const { deployments } = JSON.parse(stdout) as { deployments: { id: string }[] };
  assert.deepEqual(
    deployments.map(({ id }) => id),
    ['d-newer', 'd-older'],
  );
});

test('history show prints all of one deployment', async () => {
  const { rollout, records } = stories.rolledBack();
  const client: Partial<Client> = {
    detail: async (id) => {
      assert.equal(id, 'd-1');
      return { rollout, records };
    },
  };
  const plain = await ran(['history', 'show', 'd-1'], { cwd: empty, client });
  assert.match(plain.stdout, /going back: error rate is 25 %/);
  const json = await ran(['history', 'show', 'd-1', '--json'], { cwd: empty, client });
  assert.equal((JSON.parse(json.stdout) as { records: unknown[] }).records.length, records.length);
  const without = await ran(['history', 'show'], { cwd: empty });
  assert.equal(without.exitCode, 2);
  assert.match(without.stderr, /missing required argument 'id'/);
});

test('a limit that is no number is refused at its flag', async () => {
  const { exitCode, stderr } = await ran(['history', '--limit', 'all'], { cwd: empty });
  assert.equal(exitCode, 2);
  assert.match(stderr, /error: "all" is not a whole number from 1 to 10000\n {3}at {2}--limit/);
});

const line: LogLine = {
  at: noon,
  release: oldRelease.id,
  instance: 'shop-a',
  stream: 'stdout',
  text: 'listening\u0007',
};

test('logs asks for what the flags say and prints a line per line', async () => {
  const asked: LogsRequest[] = [];
  const client: Partial<Client> = {
    async *logs(request) {
      asked.push(request);
      yield line;
    },
  };
  const argv = ['logs', '-e', 'staging', '--release', 'shop@1', '--instance', 'shop-a', '--last', '7'];
  const plain = await ran(argv, { cwd: two, client });
  assert.equal(plain.stdout, '13:00:00  shop-a  listening\n');
  assert.deepEqual(asked, [{ scope: staging, release: 'shop@1', instance: 'shop-a', lastLines: 7, follow: false }]);
  const json = await ran([...argv, '--json'], { cwd: two, client });
  assert.deepEqual(JSON.parse(json.stdout), line);
});

test('Ctrl-C is how following logs ends, so it is a success; so is a reader that has enough', async () => {
  const client: Partial<Client> = {
    async *logs(_request, signal) {
      yield line;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw signal.reason;
    },
  };
  for (const end of ['signal', 'pipe']) {
    const run = start(['logs', '--follow', '-e', 'staging'], { cwd: two, client });
    await until(() => run.written().includes('listening'), 'it follows');
    if (end === 'signal') run.signal('SIGINT');
    else run.closeStdout();
    const { exitCode, stderr } = await run.done;
    assert.equal(exitCode, 0);
    assert.equal(stderr, '');
  }
});

test('which environment is meant is asked on a terminal, and an error that lists them elsewhere', async () => {
  const client: Partial<Client> = { logs: async function* () {} };
  const asked = await ran(['logs'], { cwd: two, client, terminal: true, typed: '7\nproduction\n' });
  assert.equal(asked.exitCode, 0);
  assert.match(asked.stderr, /1 {2}staging\n {2}2 {2}production\nWhich environment: {3}Type a number from 1 to 2/);
  const script = await ran(['logs'], { cwd: two });
  assert.equal(script.exitCode, 2);
  assert.match(script.stderr, /Which environment\? There is no terminal to ask at/);
  assert.match(script.stderr, /do {2}Give the answer with `--env`\. One of: staging, production\./);
  const json = await ran(['logs', '--json'], { cwd: two, terminal: true });
  assert.equal((JSON.parse(json.stdout) as { error: { code: string } }).error.code, 'prompt.unavailable');
});

test('a mistyped environment is refused with the name that was probably meant', async () => {
  const { exitCode, stderr } = await ran(['logs', '-e', 'prodction'], { cwd: two });
  assert.equal(exitCode, 2);
  assert.match(stderr, /Did you mean "production"\?/);
});

test('without a configuration a command that needs a scope says both ways to name one', async () => {
  const { exitCode, stderr } = await ran(['abort'], { cwd: empty });
  assert.equal(exitCode, 2);
  assert.match(
    stderr.replaceAll(/\s+/g, ' '),
    /Write one with `sluice init`\. Or name what is meant with `--service` and `--env`/,
  );
  const half = await ran(['abort', '--service', 'shop'], { cwd: empty });
  assert.equal(half.exitCode, 2);
  assert.match(half.stderr, /at {2}--env/);
});

test('instances of a status are shown with their addresses', async () => {
  const client: Partial<Client> = {
    status: async () => [{ ...steady(scope), instances: [instance('a', oldRelease, 4001)] }],
    history: async () => [],
  };
  const { stdout } = await ran(['status'], { cwd: empty, client });
  assert.match(stdout, /instances 1 running: 127\.0\.0\.1:4001/);
});
