// What a controller that is killed was about: the ways to deploy and to go back, with the settings that make each of them short.

import type { Command } from '../../../src/core/rollout/event.ts';
import type { Order } from './orders.ts';
import type { Place } from './place.ts';
import type { Course, Obey } from './walker.ts';

const validate = [{ http: '/' }];
export const blueGreen = {
  validate,
  strategy: { 'blue-green': { observe: '100ms', switchDelay: '50ms', keepOld: '200ms' } },
};
export const canary = {
  validate,
  // A handful of requests is all there is.
  gates: { compare: 'off', errorRate: { max: '20%', minSamples: 3 }, availability: 'off', p95: 'off' },
  strategy: { canary: { stages: ['30%', '100%'], hold: { atLeast: '100ms', requests: 3 }, keepOld: '0s' } },
};
export const rolling = { instances: 2, strategy: { rolling: { maxSurge: 1, maxUnavailable: 0, observe: '0s' } } };
export const warm = { strategy: { 'blue-green': { observe: '0s', keepOld: '1h' } } };

export async function deploying(
  place: Place,
  label: string,
  settings: object,
): Promise<Extract<Order, { kind: 'deploy' }>> {
  return { kind: 'deploy', label, spec: await place.spec(label, settings) };
}

/** The first attempt finds a release that is stable. */
export function deployment(name: string, settings: object, commands: readonly Command[]): Course {
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

/** Nobody visits it: what is taken away answers nobody. */
export function removal(settings: object): Course {
  return {
    name: 'a removal',
    commands: [],
    fresh: true,
    prepare: (place, _attempt, obey) => deployBoth(place, settings, obey),
    order: async (place) => ({ kind: 'remove', scope: place.scope }),
  };
}

/** Whichever of the two is not stable. */
export async function other(place: Place): Promise<string> {
  const [state] = await place.store.scopes(place.scope);
  return state?.situation.stable?.release.label === 'v1' ? 'v2' : 'v1';
}

export async function deployBoth(place: Place, settings: object, obey: Obey): Promise<void> {
  for (const label of ['v1', 'v2']) await obey(await deploying(place, label, settings));
}

/** To the release before, whose instances are gone. */
export function rollback(name: string, commands: readonly Command[]): Course {
  return {
    name,
    commands,
    fresh: false,
    prepare: async (place, attempt, obey) => {
      if (attempt === 1) await deployBoth(place, { ...blueGreen, keepReleases: 3 }, obey);
    },
    order: async (place) => ({ kind: 'rollback', scope: place.scope, to: await other(place) }),
  };
}
