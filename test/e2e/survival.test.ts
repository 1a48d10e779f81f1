// Kills the real controller at every commit boundary of every strategy, and looks whether the next one brings the deployment to its end.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';

import type { Command } from '../../src/core/rollout/event.ts';
import type { Order } from './support/orders.ts';
import type { Place } from './support/place.ts';
import { type Course, type Obey, Walker } from './support/walker.ts';

const pause: Command = { kind: 'pause', reason: 'let me look' };
const abort: Command = { kind: 'abort', reason: 'I do not like it' };
const promote: Command = { kind: 'promote', full: false };
const promoteFull: Command = { kind: 'promote', full: true };

const validate = [{ http: '/' }];
const blueGreen = {
  validate,
  strategy: { 'blue-green': { observe: '100ms', switchDelay: '50ms', keepOld: '200ms' } },
};
const canary = {
  validate,
  // A handful of requests is all there is.
  gates: { compare: 'off' },
  strategy: { canary: { stages: ['30%', '100%'], hold: { atLeast: '100ms', requests: 3 }, keepOld: '0s' } },
};
const rolling = { instances: 2, strategy: { rolling: { maxSurge: 1, maxUnavailable: 0, observe: '0s' } } };
const warm = { strategy: { 'blue-green': { observe: '0s', keepOld: '1h' } } };

async function deploying(place: Place, label: string, settings: object): Promise<Extract<Order, { kind: 'deploy' }>> {
  return { kind: 'deploy', label, spec: await place.spec(label, settings) };
}

/** The first attempt finds a release that is stable. */
function deployment(name: string, settings: object, commands: readonly Command[]): Course {
  return {
    name,
    commands,
    fresh: false,
    prepare: async (place, attempt, obey) => {
      if (attempt === 1) await obey(await deploying(place, 'v0', settings));
    },
    order: (place, attempt) => deploying(place, `v${attempt}`, settings),
  };
}

/** Whichever of the two is not stable. */
async function other(place: Place): Promise<string> {
  const [state] = await place.store.scopes(place.scope);
  return state?.situation.stable?.release.label === 'v1' ? 'v2' : 'v1';
}

async function deployBoth(place: Place, settings: object, obey: Obey): Promise<void> {
  for (const label of ['v1', 'v2']) await obey(await deploying(place, label, settings));
}

const courses: readonly Course[] = [
  {
    name: 'a first deployment',
    commands: [abort, pause],
    fresh: true,
    prepare: async () => undefined,
    order: (place) => deploying(place, 'v1', blueGreen),
  },
  deployment('blue-green', blueGreen, [abort, pause, promote]),
  deployment('canary', canary, [pause, abort, promote, promoteFull]),
  deployment('rolling', rolling, [abort, pause]),
  {
    name: 'a rollback',
    commands: [abort, pause],
    fresh: false,
    prepare: async (place, attempt, obey) => {
      if (attempt === 1) await deployBoth(place, { ...blueGreen, keepReleases: 3 }, obey);
    },
    order: async (place) => ({ kind: 'rollback', scope: place.scope, to: await other(place) }),
  },
  {
    name: 'a rollback to a warm release',
    commands: [abort, pause],
    fresh: false,
    prepare: async (place, attempt, obey) => {
      const [state] = await place.store.scopes(place.scope);
      if (attempt === 1) await deployBoth(place, warm, obey);
      else if (state?.situation.warm === undefined) await obey(await deploying(place, await other(place), warm));
    },
    order: async (place) => ({ kind: 'rollback', scope: place.scope, to: await other(place) }),
  },
];

const leftOut = existsSync('/proc/self/environ') ? false : 'missing: /proc, in which the instances are looked for';

describe('a controller that is killed at a commit', { concurrency: 4, skip: leftOut, timeout: 580_000 }, () => {
  for (const course of courses) {
    it(`loses nothing of ${course.name}`, (context) => walk(course, [], context));
    it(`loses nothing of ${course.name} with a command pending`, (context) => walk(course, course.commands, context));
  }
});

/**
 * With commands the walk begins at the second commit: a deployment takes none before its first. A command that dies while it waits
 * for its turn leaves no trace, so that is tried once with each; that it is carried out once it was committed, at every commit.
 */
async function walk(course: Course, commands: readonly Command[], context: TestContext): Promise<void> {
  const walker = new Walker(course);
  context.after(() => walker.close());
  const began = performance.now();
  const first = commands.length > 0 ? 2 : 1;
  let goesOn = true;
  for (let commit = first; goesOn; commit += 1) {
    const pending = commands[commit % Math.max(1, commands.length)];
    if (pending === undefined || commit < first + commands.length) {
      await walker.attempt({ commit, side: 'before', pending });
    }
    goesOn = await walker.attempt({ commit, side: 'after', pending });
  }
  await walker.close();
  context.diagnostic(`${walker.tally()} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  assert.deepEqual(walker.failures, []);
  assert.ok(walker.kills > 5, 'hardly a controller was killed');
}
