// Bad input, given to the real CLI: each is refused with its place and a remedy, and nothing is changed by it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { DatabaseSync } from 'node:sqlite';

import { failureIn, type Ran, Sandbox } from './support/sandbox.ts';

const usage = 2;
const unavailable = 6;

interface Bad {
  readonly name: string;
  /** Put over the plain configuration. */
  readonly changes?: object;
  /** Instead of a plain `deploy`. */
  readonly words?: readonly string[];
  readonly code: string;
  /** Where it is wrong, what is wrong and what to do. */
  readonly at: RegExp;
  readonly message: RegExp;
  readonly remedy: RegExp;
}

const embedded = (listen: string) => ({ router: { embedded: { listen } } });

const mistakes: readonly Bad[] = [
  {
    name: 'an unknown setting',
    changes: { colour: 'blue' },
    code: 'config.invalid',
    at: /sluice\.yaml:\d+:\d+$/,
    message: /^colour is not a setting/,
    remedy: /\S/,
  },
  {
    name: 'a mistyped setting, inside another',
    changes: { health: { path: '/health', intervall: '1s' } },
    code: 'config.invalid',
    at: /sluice\.yaml:\d+:\d+$/,
    message: /^health\.intervall is not a setting/,
    remedy: /Did you mean "interval"\?/,
  },
  {
    name: 'a duration without its unit',
    changes: { drain: 30 },
    code: 'config.invalid',
    at: /sluice\.yaml:\d+:\d+$/,
    message: /^drain: 30 is not a duration/,
    remedy: /30s for seconds/,
  },
  {
    name: 'a duration in a unit that is none',
    changes: { health: { path: '/health', timeout: '3 fortnights' } },
    code: 'config.invalid',
    at: /sluice\.yaml:\d+:\d+$/,
    message: /^health\.timeout: "3 fortnights" is not a duration/,
    remedy: /with its unit, such as/,
  },
  {
    name: 'stages that fall',
    changes: { strategy: { canary: { stages: ['10%', '5%', '100%'] } } },
    code: 'config.invalid',
    at: /sluice\.yaml:\d+:\d+$/,
    message: /^strategy\.canary\.stages\[1\]: 5 % does not rise above the 10 %/,
    remedy: /rising order/,
  },
  {
    name: 'stages that do not end at 100 %',
    changes: { strategy: { canary: { stages: ['10%', '50%'] } } },
    code: 'config.invalid',
    at: /sluice\.yaml:\d+:\d+$/,
    message: /the last stage gives the new release 50 %/,
    remedy: /Add 100% as the last stage/,
  },
  {
    name: 'stages on the command line that do not end at 100 %',
    words: ['deploy', '--strategy', 'canary', '--stages', '10%,50%'],
    code: 'usage',
    at: /--stages/,
    message: /50 %/,
    remedy: /100%/,
  },
  {
    name: 'two environments on one address',
    changes: { environments: { staging: embedded('127.0.0.1:8080'), production: embedded('127.0.0.1:8080') } },
    words: ['deploy', '-e', 'staging'],
    code: 'config.invalid',
    at: /sluice\.yaml:\d+:\d+$/,
    message: /environments\.production\.router\.embedded\.listen: 127\.0\.0\.1:8080 is taken: the environment staging/,
    remedy: /another port/,
  },
  {
    name: 'a release directory that is missing',
    changes: { release: { directory: 'nowhere', command: 'node server.mjs' } },
    code: 'release.missing',
    at: /\/nowhere$/,
    message: /nowhere does not exist/,
    remedy: /Build it first, or correct `release\.directory`/,
  },
  {
    name: 'a release directory that is empty',
    changes: { release: { directory: 'empty', command: 'node server.mjs' } },
    code: 'release.empty',
    at: /\/empty$/,
    message: /has no files/,
    remedy: /Build it first, or correct `release\.directory`/,
  },
  {
    name: 'a start command that is missing',
    changes: { release: { directory: 'release' } },
    code: 'config.invalid',
    at: /sluice\.yaml:\d+:\d+$/,
    message: /^release\.command: the start command is missing/,
    remedy: /node server\.js/,
  },
  {
    name: 'a program of the release that does not exist',
    changes: { release: { directory: 'release', command: './start' } },
    code: 'instance.command',
    at: /^release\.command$/,
    message: /\.\/start does not exist/,
    remedy: /release\.command/,
  },
  {
    name: 'a program that is not on the path',
    changes: { release: { directory: 'release', command: 'nodde server.mjs' } },
    code: 'instance.command',
    at: /^release\.command$/,
    message: /nodde is neither in the release nor on PATH/,
    remedy: /release\.command/,
  },
  {
    name: 'an image by a tag that moves',
    changes: { release: { image: 'ghcr.io/acme/shop:latest' } },
    code: 'release.mutable',
    at: /sluice\.yaml:\d+:\d+$/,
    message: /^release\.image: the tag "latest"/,
    remedy: /digest/,
  },
  {
    name: 'a release that nobody knows',
    words: ['rollback', '--to', 'shop@123456789abc'],
    code: 'release.unknown',
    at: /^--to$/,
    message: /shop@123456789abc/,
    remedy: /sluice history/,
  },
  {
    name: 'a rollback with nothing to go back to',
    words: ['rollback'],
    code: 'rollback.nothing',
    at: /^shop\/production$/,
    message: /no earlier release to go back to/,
    remedy: /sluice deploy/,
  },
  {
    name: 'a rollback to the release that is stable',
    words: ['rollback', '--to', 'v1'],
    code: 'rollback.nothing',
    at: /^--to$/,
    message: /is the stable release of shop\/production already/,
    remedy: /sluice history/,
  },
  {
    name: 'a question with --json that nobody could answer',
    changes: { environments: { staging: embedded('127.0.0.1:8081'), production: embedded('127.0.0.1:8082') } },
    code: 'prompt.unavailable',
    at: /^--env$/,
    message: /Which environment\? With --json nothing is asked/,
    remedy: /`--env`.*One of: /,
  },
];

describe('bad input', { concurrency: 2, timeout: 120_000 }, () => {
  it('is refused with place and remedy, beside a release that is in service', async (context) => {
    const sandbox = await opened(context);
    await mkdir(join(sandbox.directory, 'empty'));
    await sandbox.configure();
    assertDone(await sandbox.sluice('deploy', '--label', 'v1', '--json'));
    const before = await sandbox.traces();
    await sandbox.release('v2');
    for (const mistake of mistakes) {
      await sandbox.configure(mistake.changes);
      const ran = await sandbox.sluice(...(mistake.words ?? ['deploy']), '--json');
      assertTold(ran, usage, mistake);
      assert.deepEqual(await sandbox.traces(), before, `${mistake.name} changed something`);
    }
    // For people: on stderr, with the same three things.
    await sandbox.configure({ drain: 30 });
    const { code, stdout, stderr } = await sandbox.sluice('deploy');
    assert.deepEqual([code, stdout], [usage, '']);
    assert.match(
      stderr,
      /^error: drain: 30 is not a duration\n {3}at {2}.*sluice\.yaml:\d+:\d+\n {3}do {2}Add the unit/,
    );
  });

  it('a port that another program has is named, and nothing begins', async (context) => {
    const sandbox = await opened(context);
    await sandbox.configure();
    const other = createServer().listen(sandbox.port, '127.0.0.1');
    context.after(() => other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const before = await sandbox.traces();
    const ran = await sandbox.sluice('deploy', '--json');
    assertTold(ran, usage, {
      name: 'a port that is taken',
      code: 'port.taken',
      at: new RegExp(`127\\.0\\.0\\.1:${sandbox.port}`),
      message: new RegExp(`${sandbox.port}`),
      remedy: /another port/,
    });
    assert.deepEqual(await sandbox.traces(), before);
  });

  it('a release that never becomes healthy goes back, with the reason', async (context) => {
    const sandbox = await opened(context);
    await sandbox.configure();
    assertDone(await sandbox.sluice('deploy', '--label', 'v1', '--json'));
    await sandbox.release('v2');
    await sandbox.configure({
      env: { WELL: join(sandbox.directory, 'never') },
      health: { path: '/health', interval: '50ms', timeout: '6s' },
    });
    const { code, stderr, stdout } = await sandbox.sluice('deploy', '--label', 'v2');
    assert.equal(code, 1, stdout + stderr);
    const said = (stdout + stderr).replaceAll(/\s+/g, ' ');
    assert.match(said, /\/health/, 'the path that was asked is not named');
    assert.match(said, /503/, 'what it answered is not told');
    assert.match(said, /sluice logs/, 'no remedy is told');
    const status = JSON.parse((await sandbox.sluice('status', '--json')).stdout) as object;
    assert.match(JSON.stringify(status), /"label":"v1"/);
    const answer = await fetch(`http://127.0.0.1:${sandbox.port}/`);
    assert.equal(await answer.text(), 'v1');
  });

  it('a damaged store is left as it is', async (context) => {
    const sandbox = await opened(context);
    await sandbox.configure();
    await mkdir(sandbox.home);
    await writeFile(sandbox.store, `no database ${'x'.repeat(10_000)}`);
    await assertStoreRefused(sandbox, 'store.corrupt', /Restore|move it away/);
    await assertUntouched(sandbox, `no database ${'x'.repeat(10_000)}`);
  });

  it('a store of a newer version is left to that version', async (context) => {
    const sandbox = await opened(context);
    await sandbox.configure();
    assert.equal((await sandbox.sluice('status', '--json')).code, 0);
    const database = new DatabaseSync(sandbox.store);
    database.exec('PRAGMA user_version = 9999');
    database.close();
    await assertStoreRefused(sandbox, 'store.newer', /that version or a later one/);
  });

  it('a full disk is told of before anything is started', async (context) => {
    const sandbox = await opened(context);
    await sandbox.configure();
    if (!(await onSmallDisk(sandbox, context))) return;
    const ran = await sandbox.sluice('deploy', '--json');
    const failure = failureIn(ran);
    assert.equal(ran.code, unavailable, ran.stdout + ran.stderr);
    assert.match(failure.code, /^(?:store|disk)\.full$/);
    assert.match(failure.remedy, /Free space/);
    assert.match(failure.at ?? '', /\/home/);
  });
});

async function opened(context: TestContext): Promise<Sandbox> {
  const sandbox = await Sandbox.open();
  context.after(() => sandbox.close());
  await sandbox.release('v1');
  return sandbox;
}

function assertDone({ code, stdout, stderr }: Ran): void {
  assert.equal(code, 0, stdout + stderr);
}

function assertTold(ran: Ran, exit: number, bad: Bad): void {
  const { code, at, message, remedy } = failureIn(ran);
  const told = `${bad.name}: ${ran.stdout}`;
  assert.equal(ran.code, exit, told);
  assert.equal(code, bad.code, told);
  assert.match(at ?? '', bad.at, told);
  assert.match(message, bad.message, told);
  assert.match(remedy, bad.remedy, told);
}

/** Every command that needs the store says so; also one that only looks. */
async function assertStoreRefused(sandbox: Sandbox, code: string, remedy: RegExp): Promise<void> {
  for (const word of ['deploy', 'status']) {
    const ran = await sandbox.sluice(word, '--json');
    const at = /sluice\.db$/;
    assertTold(ran, unavailable, { name: `${word} with ${code}`, code, at, message: /sluice\.db/, remedy });
  }
}

async function assertUntouched(sandbox: Sandbox, content: string): Promise<void> {
  assert.equal(await readFile(sandbox.store, 'utf8'), content);
}

/** Puts the home on a disk of its own without a byte to spare. False, with the test skipped, where this may not be done. */
async function onSmallDisk(sandbox: Sandbox, context: TestContext): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    context.skip('only root may mount a small disk; test/…/failing.test.ts fills the store without one');
    return false;
  }
  await mkdir(sandbox.home);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', sandbox.home], { stdio: 'pipe' });
  } catch {
    context.skip('mounting is not allowed here');
    return false;
  }
  sandbox.mounted(() => execFileSync('umount', ['--lazy', sandbox.home]));
  assert.equal((await sandbox.sluice('status', '--json')).code, 0);
  await fill(join(sandbox.home, 'filler'));
  return true;
}

async function fill(file: string): Promise<void> {
  for (let bytes = 0; ; bytes += 1024) {
    try {
      await writeFile(file, Buffer.alloc(1024), { flag: 'a' });
    } catch {
      return;
    }
    assert.ok(bytes < 2 ** 20, 'the disk does not fill up');
  }
}
