// Kills the real controller at every commit boundary of every strategy, and looks whether the next one brings the deployment to its end.

import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';

import type { Command } from '../../src/core/rollout/event.ts';
import {
  blueGreen,
  canary,
  deploying,
  deployBoth,
  deployment,
  other,
  removal,
  rollback,
  rolling,
  warm,
} from './support/courses.ts';
import { type Course, everyCommit, walk } from './support/walker.ts';

const ground = { platform: 'process', router: 'embedded' } as const;

const pause: Command = { kind: 'pause', reason: 'let me look' };
const abort: Command = { kind: 'abort', reason: 'I do not like it' };
const promote: Command = { kind: 'promote', full: false };
const promoteFull: Command = { kind: 'promote', full: true };

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
  rollback('a rollback', [abort, pause]),
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

/** It takes no commands. */
const removing = removal(warm);

const leftOut = existsSync('/proc/self/environ') ? false : 'missing: /proc, in which the instances are looked for';

describe('a controller that is killed at a commit', { concurrency: 4, skip: leftOut, timeout: 580_000 }, () => {
  it('takes away all of a service', (context) => walk(removing, ground, everyCommit([]), context));
  for (const course of courses) {
    it(`loses nothing of ${course.name}`, (context) => walk(course, ground, everyCommit([]), context));
    it(`loses nothing of ${course.name} with a command pending`, (context) =>
      walk(course, ground, everyCommit(course.commands), context));
  }
});
