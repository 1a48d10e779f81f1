// The contract of every platform driver: what the engine relies on, as tests that a driver runs against itself.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../base/failure.ts';
import type { Instance, InstanceGroup, LogLine } from '../core/instance.ts';
import { maxLineBytes } from '../core/log-line.ts';
import type { Release } from '../core/release.ts';
import type { Scope } from '../core/scope.ts';
import type { LogQuery, Platform } from './platform.ts';

/** What the instances of a release do. */
export type ContractBehaviour =
  | 'serves'
  /** Writes `last words` and ends with exit code 3. */
  | 'crashes at start'
  /** Its program does not exist. */
  | 'cannot be run'
  /** Serves, but does not end when it is asked to. */
  | 'ignores the request to end';

/** One empty platform under test. */
export interface PlatformFixture {
  readonly platform: Platform;
  /** The same platform as a controller that is started later sees it. */
  reopen(): Promise<Platform>;
  /** Makes a release known to the platform; each call gives another one. */
  release(behaviour: ContractBehaviour): Promise<Release>;
  /** Whether the instance answers at its address, found out without the platform. */
  answers(instance: Instance): Promise<boolean>;
  /** Makes a running instance end by itself with exit code 3. */
  crash(instance: Instance): Promise<void>;
  /** Makes a running instance write these lines to its standard output. */
  write(instance: Instance, lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface PlatformHarness {
  readonly name: string;
  open(): Promise<PlatformFixture>;
  /** Test name → why this driver cannot pass it. */
  readonly skips?: Readonly<Record<string, string>> | undefined;
  /** Why the driver cannot be tested on this machine at all; false: it can. */
  readonly leftOut?: string | false | undefined;
}

type Body = (fixture: PlatformFixture) => Promise<void>;

const scope: Scope = { service: 'shop', environment: 'production' };
const otherScope: Scope = { service: 'shop', environment: 'staging' };

/** Declares the whole suite for one driver; call it at the top level of a test file. */
export function platformContract(harness: PlatformHarness): void {
  const tests = { ...startTests, ...endTests, ...scopeTests, ...logTests };
  for (const name of Object.keys(harness.skips ?? {})) assert.ok(name in tests, `no contract test is named "${name}"`);
  describe(`platform contract: ${harness.name}`, () => {
    for (const [name, body] of Object.entries(tests)) {
      test(name, { skip: harness.leftOut || (harness.skips?.[name] ?? false) }, async () => {
        const fixture = await harness.open();
        try {
          await body(fixture);
        } finally {
          await fixture.close();
        }
      });
    }
  });
}

function group(release: Release, instances: number, where: Scope = scope, deployment = 'd-1'): InstanceGroup {
  return { scope: where, release, deployment, instances };
}

const startTests: Readonly<Record<string, Body>> = {
  'ensure starts as many copies as are wanted, each with an id and an address of its own': async (fixture) => {
    const release = await fixture.release('serves');
    const started = await fixture.platform.ensure(group(release, 3));
    assert.equal(started.length, 3);
    assert.equal(new Set(ids(started)).size, 3);
    assert.equal(new Set(started.map((each) => each.address.port)).size, 3);
    for (const each of started) {
      assert.deepEqual(
        { release: each.release, deployment: each.deployment, state: each.state, restarts: each.restarts },
        { release: release.id, deployment: 'd-1', state: 'running', restarts: 0 },
      );
      await eventually(`${each.id} answers`, () => fixture.answers(each));
    }
    assert.deepEqual(sorted(await fixture.platform.list(scope)), sorted(started));
  },

  'ensure is idempotent': async (fixture) => {
    const release = await fixture.release('serves');
    const first = await fixture.platform.ensure(group(release, 2));
    assert.deepEqual(sorted(await fixture.platform.ensure(group(release, 2))), sorted(first));
  },

  'ensure adds what is missing and never stops what is surplus': async (fixture) => {
    const release = await fixture.release('serves');
    const one = await fixture.platform.ensure(group(release, 1));
    const three = await fixture.platform.ensure(group(release, 3));
    assert.equal(three.length, 3);
    assert.ok(ids(one).every((id) => ids(three).includes(id)));
    const still = await fixture.platform.ensure(group(release, 1));
    assert.deepEqual(sorted(still), sorted(three));
  },

  'two calls of ensure at once start no more than is wanted': async (fixture) => {
    const release = await fixture.release('serves');
    const second = await fixture.reopen();
    const [a, b] = await Promise.all([
      fixture.platform.ensure(group(release, 2)),
      second.ensure(group(release, 2)),
      fixture.platform.ensure(group(release, 2)),
    ]);
    assert.deepEqual(ids(a).sort(), ids(b).sort());
    assert.equal((await fixture.platform.list(scope)).length, 2);
  },

  'a later deployment of the same release takes its instances over': async (fixture) => {
    const release = await fixture.release('serves');
    const first = await fixture.platform.ensure(group(release, 1));
    const second = await fixture.platform.ensure(group(release, 1, scope, 'd-2'));
    assert.deepEqual(second, [{ ...first[0], deployment: 'd-2' }]);
    assert.deepEqual(await fixture.platform.list(scope), second);
  },

  'ensure that is aborted before it begins starts nothing': async (fixture) => {
    const release = await fixture.release('serves');
    await assert.rejects(fixture.platform.ensure(group(release, 1), AbortSignal.abort(new Error('no longer wanted'))));
    assert.deepEqual(await fixture.platform.list(scope), []);
  },

  'check starts nothing': async (fixture) => {
    const release = await fixture.release('serves');
    await fixture.platform.check(release.run, undefined);
    assert.deepEqual(await fixture.platform.list(scope), []);
  },

  'a program that cannot be run is refused and nothing runs': async (fixture) => {
    const release = await fixture.release('cannot be run');
    await assert.rejects(fixture.platform.ensure(group(release, 2)), isFailure('instance.command'));
    assert.deepEqual(await fixture.platform.list(scope), []);
  },

  'instances are found again by a controller that is started later': async (fixture) => {
    const release = await fixture.release('serves');
    const started = await fixture.platform.ensure(group(release, 2));
    const later = await fixture.reopen();
    assert.deepEqual(sorted(await later.list(scope)), sorted(started));
    assert.deepEqual(sorted(await later.ensure(group(release, 2))), sorted(started));
    await later.stop({ scope, release: release.id, graceMs: 10_000 });
    assert.deepEqual(await later.list(scope), []);
    assert.deepEqual(await fixture.platform.list(scope), []);
  },
};

const endTests: Readonly<Record<string, Body>> = {
  'a crash at start is listed as exited, with the exit code and the last lines': async (fixture) => {
    const release = await fixture.release('crashes at start');
    const [started] = await fixture.platform.ensure(group(release, 1));
    const listed = await listedAs(fixture.platform, 'exited');
    assert.equal(listed.id, started?.id);
    assert.equal(listed.exit, 'exit code 3');
    const lines = await collect(fixture.platform, { instance: listed.id, lastLines: 5 });
    assert.deepEqual(lines.at(-1)?.text, 'last words');
  },

  'an instance that ended by itself is listed as exited and started again as the same instance': async (fixture) => {
    const release = await fixture.release('serves');
    const [first] = await fixture.platform.ensure(group(release, 1));
    assert.ok(first);
    await eventually('it answers', () => fixture.answers(first));
    await fixture.crash(first);
    const exited = await listedAs(fixture.platform, 'exited');
    assert.deepEqual({ id: exited.id, exit: exited.exit }, { id: first.id, exit: 'exit code 3' });
    const [again] = await fixture.platform.ensure(group(release, 1));
    assert.ok(again);
    assert.deepEqual(
      { id: again.id, state: again.state, restarts: again.restarts, exit: again.exit },
      { id: first.id, state: 'running', restarts: 1, exit: undefined },
    );
    await eventually('it answers again', () => fixture.answers(again));
    assert.deepEqual(await fixture.platform.list(scope), [again]);
  },

  'stop ends all instances of the release, and ending them again is no error': async (fixture) => {
    const release = await fixture.release('serves');
    const started = await fixture.platform.ensure(group(release, 3));
    for (const each of started) await eventually('it answers', () => fixture.answers(each));
    await fixture.platform.stop({ scope, release: release.id, graceMs: 10_000 });
    for (const each of started) assert.equal(await fixture.answers(each), false);
    assert.deepEqual(await fixture.platform.list(scope), []);
    await fixture.platform.stop({ scope, release: release.id, graceMs: 10_000 });
  },

  'stop of named instances leaves the others alone; unknown names are no error': async (fixture) => {
    const release = await fixture.release('serves');
    const started = await fixture.platform.ensure(group(release, 3));
    const [gone, ...kept] = started;
    assert.ok(gone);
    await fixture.platform.stop({ scope, release: release.id, instances: [gone.id, 'nobody'], graceMs: 10_000 });
    assert.deepEqual(sorted(await fixture.platform.list(scope)), sorted(kept));
    await fixture.platform.stop({ scope, release: release.id, instances: [], graceMs: 10_000 });
    assert.deepEqual(sorted(await fixture.platform.list(scope)), sorted(kept));
  },

  'stop of an instance that ended by itself takes it off the list': async (fixture) => {
    const release = await fixture.release('crashes at start');
    await fixture.platform.ensure(group(release, 1));
    await listedAs(fixture.platform, 'exited');
    await fixture.platform.stop({ scope, release: release.id, graceMs: 10_000 });
    assert.deepEqual(await fixture.platform.list(scope), []);
  },

  'an instance that does not end in time is ended by force': async (fixture) => {
    const release = await fixture.release('ignores the request to end');
    const [started] = await fixture.platform.ensure(group(release, 1));
    assert.ok(started);
    await eventually('it answers', () => fixture.answers(started));
    await fixture.platform.stop({ scope, release: release.id, graceMs: 100 });
    assert.equal(await fixture.answers(started), false);
    assert.deepEqual(await fixture.platform.list(scope), []);
  },
};

const scopeTests: Readonly<Record<string, Body>> = {
  'environments are apart': async (fixture) => {
    const release = await fixture.release('serves');
    const here = await fixture.platform.ensure(group(release, 1));
    const there = await fixture.platform.ensure(group(release, 1, otherScope));
    assert.deepEqual(await fixture.platform.list(scope), here);
    assert.deepEqual(await fixture.platform.list(otherScope), there);
    await fixture.platform.stop({ scope, release: release.id, graceMs: 10_000 });
    assert.deepEqual(await fixture.platform.list(otherScope), there);
  },

  'releases are apart': async (fixture) => {
    const [a, b] = [await fixture.release('serves'), await fixture.release('serves')];
    await fixture.platform.ensure(group(a, 1));
    const others = await fixture.platform.ensure(group(b, 1));
    assert.equal((await fixture.platform.list(scope)).length, 2);
    await fixture.platform.stop({ scope, release: a.id, graceMs: 10_000 });
    assert.deepEqual(await fixture.platform.list(scope), others);
  },

  'a scope that was never used has no instances, and its logs are empty': async (fixture) => {
    assert.deepEqual(await fixture.platform.list(otherScope), []);
    assert.deepEqual(await collect(fixture.platform, { scope: otherScope, lastLines: 10 }), []);
  },
};

const logTests: Readonly<Record<string, Body>> = {
  'logs gives so many of the newest lines of each instance, in order': async (fixture) => {
    const release = await fixture.release('serves');
    const started = await fixture.platform.ensure(group(release, 2));
    for (const each of started) {
      await eventually('it answers', () => fixture.answers(each));
      await fixture.write(each, ['one', 'two', 'three', 'four']);
    }
    for (const { id } of started) {
      const own = async () =>
        (await collect(fixture.platform, { lastLines: 3 })).filter((line) => line.instance === id);
      await eventually('the last line is there', async () => (await own()).at(-1)?.text === 'four');
      assert.deepEqual(
        (await own()).map(({ text, release, stream }) => [text, release, stream]),
        ['two', 'three', 'four'].map((text) => [text, release.id, 'stdout']),
      );
    }
  },

  'logs follows with new lines until it is aborted': async (fixture) => {
    const release = await fixture.release('serves');
    const [started] = await fixture.platform.ensure(group(release, 1));
    assert.ok(started);
    await eventually('it answers', () => fixture.answers(started));
    await fixture.write(started, ['before']);
    await eventually('the line is there', async () =>
      (await collect(fixture.platform, { lastLines: 1 })).some((line) => line.text === 'before'),
    );
    const seen: string[] = [];
    const abort = new AbortController();
    const following = (async () => {
      const query = { scope, instance: started.id, lastLines: 1, follow: true };
      for await (const line of fixture.platform.logs(query, abort.signal)) seen.push(line.text);
    })();
    await eventually('the line before is seen', async () => seen.includes('before'));
    await fixture.write(started, ['after', 'and after']);
    await eventually('the lines after are seen', async () => seen.includes('and after'));
    assert.deepEqual(seen, ['before', 'after', 'and after']);
    abort.abort();
    await following;
  },

  'a line that is too long is cut': async (fixture) => {
    const release = await fixture.release('serves');
    const [started] = await fixture.platform.ensure(group(release, 1));
    assert.ok(started);
    await eventually('it answers', () => fixture.answers(started));
    await fixture.write(started, ['x'.repeat(100_000), 'short']);
    const lines = async () => (await collect(fixture.platform, { lastLines: 2 })).map((line) => line.text);
    await eventually('both lines are there', async () => (await lines()).at(-1) === 'short');
    const [long] = await lines();
    assert.match(long ?? '', /^x+…$/);
    assert.ok(Buffer.byteLength(long ?? '') <= maxLineBytes);
  },

  'the lines of a stopped release can still be read by its name': async (fixture) => {
    const release = await fixture.release('crashes at start');
    await fixture.platform.ensure(group(release, 1));
    await listedAs(fixture.platform, 'exited');
    await fixture.platform.stop({ scope, release: release.id, graceMs: 10_000 });
    const lines = await collect(fixture.platform, { release: release.id, lastLines: 5 });
    assert.equal(lines.at(-1)?.text, 'last words');
  },

  'what is forgotten has no output any more, and what runs goes on': async (fixture) => {
    const { platform } = fixture;
    const [gone, kept] = [await fixture.release('serves'), await fixture.release('serves')];
    const [stopped] = await platform.ensure(group(gone, 1));
    const [running] = await platform.ensure(group(kept, 1));
    assert.ok(stopped !== undefined && running !== undefined);
    for (const each of [stopped, running]) {
      await eventually(`${each.id} answers`, () => fixture.answers(each));
      await fixture.write(each, ['hello']);
    }
    await platform.stop({ scope, release: gone.id, graceMs: 10_000 });
    await platform.forget(otherScope);
    assert.equal((await collect(platform, { release: gone.id, lastLines: 5 })).at(-1)?.text, 'hello');
    await platform.forget(scope);
    await platform.forget(scope);
    assert.deepEqual(await collect(platform, { release: gone.id, lastLines: 5 }), []);
    assert.deepEqual(ids(await platform.list(scope)), [running.id]);
    assert.equal((await collect(platform, { release: kept.id, lastLines: 5 })).at(-1)?.text, 'hello');
  },
};

function ids(instances: readonly Instance[]): string[] {
  return instances.map((each) => each.id);
}

function sorted(instances: readonly Instance[]): Instance[] {
  return [...instances].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function isFailure(code: string): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof Failure && thrown.code === code;
}

async function listedAs(platform: Platform, state: Instance['state']): Promise<Instance> {
  let found: Instance | undefined;
  await eventually(`an instance is listed as ${state}`, async () => {
    found = (await platform.list(scope)).find((each) => each.state === state);
    return found !== undefined;
  });
  assert.ok(found);
  return found;
}

async function collect(platform: Platform, query: Partial<LogQuery> & { lastLines: number }): Promise<LogLine[]> {
  return Array.fromAsync(platform.logs({ scope, follow: false, ...query }));
}

/** Waits until a condition holds. The limit is generous: it only ends a test that would never end. */
async function eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
