import assert from 'node:assert/strict';
import test from 'node:test';

import { ran } from './fixture-context.ts';
import { commandEntries } from './program.ts';

test('help groups the commands by purpose, one line each, and fits 80 columns', async () => {
  const { exitCode, stdout } = await ran(['--help']);
  assert.equal(exitCode, 0);
  assert.match(stdout, /\nRelease:\n {2}plan +show every step/);
  assert.match(stdout, /\nWhile a deployment is under way:\n {2}promote/);
  assert.ok(stdout.split('\n').every((line) => line.length <= 80));
  assert.ok(!stdout.includes('validate-config'));
  assert.equal((await ran([])).stdout, stdout);
  assert.equal((await ran(['help'])).stdout, stdout);
});

test('the help of every command has what it is for and one to three examples', async () => {
  for (const { name } of commandEntries) {
    const { exitCode, stdout } = await ran([name, '--help']);
    assert.equal(exitCode, 0, name);
    assert.match(stdout, new RegExp(`^Usage: sluice ${name}`));
    const examples =
      stdout
        .split('Examples:\n')[1]
        ?.split('\n\n')[0]
        ?.match(/^ {2}\S/gm)?.length ?? 0;
    assert.ok(name === 'config' || (examples >= 1 && examples <= 3), `${name} has ${examples} examples`);
    assert.ok(
      stdout
        .split('Examples:')[0]
        ?.split('\n')
        .every((line) => line.length <= 80),
      name,
    );
    assert.equal((await ran(['help', name])).stdout, stdout);
  }
});

test('a mistyped command or flag is refused with the one that was probably meant', async () => {
  const command = await ran(['depoly']);
  assert.equal(command.exitCode, 2);
  assert.equal(command.stdout, '');
  assert.equal(command.stderr, "error: unknown command 'depoly'\n   do  Did you mean deploy? See `sluice --help`.\n");
  const flag = await ran(['deploy', '--lable', '1.4.2']);
  assert.equal(flag.exitCode, 2);
  assert.equal(
    flag.stderr,
    "error: unknown option '--lable'\n   do  Did you mean --label? See `sluice deploy --help`.\n",
  );
  const below = await ran(['config', 'chek']);
  assert.match(below.stderr, /Did you mean check\?/);
});

test('a wrong command line is told as JSON where JSON is asked for', async () => {
  const { exitCode, stdout, stderr } = await ran(['deploy', '--lable', '--json']);
  assert.equal(exitCode, 2);
  assert.equal(stderr, '');
  assert.deepEqual(JSON.parse(stdout), {
    error: {
      code: 'usage',
      message: "unknown option '--lable'",
      remedy: 'Did you mean --label? See `sluice deploy --help`.',
    },
  });
});

test('too many operands, and flags without their value, are refused', async () => {
  assert.equal((await ran(['status', 'production'])).exitCode, 2);
  assert.match((await ran(['status', '--env'])).stderr, /option '-e, --env <name>' argument missing/);
});

test('a group of commands without one of them shows its help', async () => {
  const { exitCode, stdout } = await ran(['config']);
  assert.equal(exitCode, 0);
  assert.match(stdout, /Commands:\n {2}check +check the whole file/);
});

test('the version is one line', async () => {
  for (const flag of ['--version', '-V']) assert.equal((await ran([flag])).stdout, '1.2.3\n');
});

const secret = { environment: { SLUICE_TOKEN: 's3cret', SLUICE_HOME: '/var/lib/sluice', SLUICE_SERVER: '' } };
const client = { status: async () => [] };

test('options come from flags first, then from the environment; an empty variable is none', async () => {
  const fromVariables = await ran(['status', '--service', 'a', '-e', 'b'], { ...secret, client });
  assert.deepEqual(fromVariables.connected, [
    { home: '/var/lib/sluice', server: undefined, token: 's3cret', verbose: false },
  ]);
  const argv = ['status', '--service', 'a', '-e', 'b', '--home', '/srv', '--server', 'http://h:1', '--verbose'];
  const fromFlags = await ran(argv, { ...secret, client });
  assert.deepEqual(fromFlags.connected, [{ home: '/srv', server: 'http://h:1', token: 's3cret', verbose: true }]);
});

test('commands that are proposed repeat the flags that this one was given, quoted for a shell', async () => {
  const argv = ['status', '--service', "o'shop", '-e', 'b', '--server', 'http://h:1?a b'];
  const scope = { service: "o'shop", environment: 'b' };
  const { stdout } = await ran(argv, {
    client: {
      status: async () => [{ situation: { scope, earlier: [], revision: 0 }, attended: false, instances: [] }],
      history: async () => [],
    },
  });
  assert.match(stdout, /sluice deploy --service 'o'\\''shop' -e b --server 'http:\/\/h:1\?a b'/);
});

test('a defect is called one, with its stack only where more was asked for', async () => {
  const broken = {
    status: (): never => {
      throw new Error('invariant broken: two of one');
    },
  };
  const argv = ['status', '--service', 'a', '-e', 'b'];
  const quiet = await ran(argv, { client: broken });
  assert.equal(quiet.exitCode, 6);
  assert.match(
    quiet.stderr,
    /^error: a defect of Sluice: invariant broken: two of one\n {3}do {2}Run again with `--verbose`/,
  );
  assert.doesNotMatch(quiet.stderr, /usage\.test\.ts/);
  assert.deepEqual(quiet.closed, ['leave']);
  const verbose = await ran([...argv, '--verbose'], { client: broken });
  assert.match(verbose.stderr, /usage\.test\.ts/);
});

test('colours are for terminals that want them', async () => {
  const argv = ['status', '--service', 'a', '-e', 'b'];
  const scope = { service: 'a', environment: 'b' };
  const status = { situation: { scope, earlier: [], revision: 0 }, attended: false, instances: [] };
  const some = { status: async () => [status], history: async () => [] };
  const colour = '\u001b[';
  assert.ok((await ran(argv, { client: some, terminal: true })).stdout.includes(colour));
  assert.ok(!(await ran(argv, { client: some })).stdout.includes(colour));
  assert.ok(!(await ran([...argv, '--no-color'], { client: some, terminal: true })).stdout.includes(colour));
  for (const environment of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    assert.ok(!(await ran(argv, { client: some, terminal: true, environment })).stdout.includes(colour));
  }
});

test('a terminal without Unicode gets plain characters', async () => {
  const argv = ['status', '--service', 'a', '-e', 'b'];
  const scope = { service: 'a', environment: 'b' };
  const status = { situation: { scope, earlier: [], revision: 0 }, attended: false, instances: [] };
  const some = { status: async () => [status], history: async () => [] };
  const { stdout } = await ran(argv, { client: some, environment: { LC_ALL: 'C' } });
  assert.ok(stdout.startsWith('* a/b'));
});

test('JSON cannot act on a terminal either', async () => {
  const scope = { service: 'a\u009b2J\u202e', environment: 'b' };
  const status = { situation: { scope, earlier: [], revision: 0 }, attended: false, instances: [] };
  const { stdout } = await ran(['status', '--json'], {
    client: { status: async () => [status], history: async () => [] },
  });
  assert.match(stdout, /"a\\u009b2J\\u202e"/);
  assert.deepEqual((JSON.parse(stdout) as { scopes: { situation: unknown }[] }).scopes[0]?.situation, status.situation);
});
