// Five hundred simulated histories hold every invariant, and for each invariant a world that breaks it is found out.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Routes } from '../../src/core/routes.ts';
import { Violation } from './checker.ts';
import { simulate } from './simulate.ts';
import type { World } from './world.ts';

const seeds = 500;

describe('simulation', () => {
  it(`${seeds} seeds hold every invariant`, async () => {
    for (let seed = 1; seed <= seeds; seed += 1) await simulate(seed);
  });

  it('the same seed gives the same history', async () => {
    assert.deepEqual(await simulate(42), await simulate(42));
  });
});

/** Each breaks the world in one way; the named invariant must notice within a hundred seeds. */
const breakages: readonly {
  readonly invariant: string;
  readonly how: string;
  readonly breakWorld: (world: World) => void;
}[] = [
  {
    invariant: 'share within its stage',
    how: 'the router gives the candidate more than was ordered',
    breakWorld: (world) => {
      changeRoutes(world, (routes) => {
        const [stable, candidate, ...rest] = routes.groups;
        if (stable === undefined || candidate === undefined || candidate.share === 0 || stable.share < 100)
          return routes;
        return {
          ...routes,
          groups: [{ ...stable, share: stable.share - 100 }, { ...candidate, share: candidate.share + 100 }, ...rest],
        };
      });
    },
  },
  {
    invariant: 'shares add up',
    how: 'the router loses a part of the traffic',
    breakWorld: (world) => {
      changeRoutes(world, (routes) => ({
        ...routes,
        groups: routes.groups.map((group) => ({ ...group, share: Math.max(0, group.share - 1) })),
      }));
    },
  },
  {
    invariant: 'traffic only to healthy instances',
    how: 'health checks always pass',
    breakWorld: (world) => {
      world.prober.probe = async (check) => ({
        name: check.kind,
        passed: true,
        attempts: 1,
        durationMs: 1,
        reason: 'answered',
      });
    },
  },
  {
    invariant: 'one deployment at a time',
    how: 'the store lets a second deployment in beside the first',
    breakWorld: (world) => {
      const rollouts = world.store.rollouts.bind(world.store);
      world.store.rollouts = async (query) => {
        const all = await rollouts(query);
        const active = all.find((rollout) => rollout.endedAt === undefined);
        return active === undefined ? all : [{ ...active, id: `${active.id}-twin`, version: 0, share: 0 }, ...all];
      };
    },
  },
  {
    invariant: 'every change has exactly one record',
    how: 'the store forgets a record',
    breakWorld: (world) => {
      const records = world.store.records.bind(world.store);
      world.store.records = async (query) => (await records(query)).filter((record) => record.version !== 3);
    },
  },
  {
    invariant: 'a failing gate never ends in promotion',
    how: 'a failing judgement reaches the record, a passing one the engine',
    breakWorld: (world) => {
      const records = world.store.records.bind(world.store);
      world.store.records = async (query) =>
        (await records(query)).map((record) => {
          if (record.event.kind !== 'judged') return record;
          const judgement = { ...record.event.judgement, outcome: 'fail' as const };
          return { ...record, event: { ...record.event, judgement } };
        });
    },
  },
  {
    invariant: 'no number, no promotion',
    how: 'a good answer of a metric source reaches the engine, none the record',
    breakWorld: (world) => {
      const rollouts = world.store.rollouts.bind(world.store);
      world.store.rollouts = async (query) =>
        (await rollouts(query)).map((rollout) => ({
          ...rollout,
          judgements: rollout.judgements.map(({ name, judgement }) => {
            const verdicts = judgement.verdicts.map((verdict) =>
              verdict.binding === true ? { ...verdict, outcome: 'inconclusive' as const } : verdict,
            );
            return { name, judgement: { ...judgement, verdicts } };
          }),
        }));
    },
  },
  {
    invariant: 'everything ends',
    how: 'the router never answers an order',
    breakWorld: (world) => {
      world.router.apply = () => new Promise<void>(() => undefined);
    },
  },
  {
    invariant: 'a rollback ends on the former release',
    how: 'the router ends on another release than the record says',
    breakWorld: (world) => {
      const inForce = world.router.inForce.bind(world.router);
      world.router.inForce = (scope) => {
        const routes = inForce(scope);
        const [only, ...others] = routes?.groups ?? [];
        if (routes === undefined || only === undefined || others.length > 0) return routes;
        return { ...routes, groups: [{ ...only, release: 'shop@000000000000' }] };
      };
    },
  },
  {
    invariant: 'what is taken away is gone',
    how: 'the router goes on with what it should forget',
    breakWorld: (world) => {
      world.router.remove = async () => undefined;
    },
  },
  {
    invariant: 'nothing is left over',
    how: 'the platform does not stop what it is told to',
    breakWorld: (world) => {
      world.platform.stop = async () => undefined;
    },
  },
  {
    invariant: 'routes never go back in time',
    how: 'the router shows older routes now and then',
    breakWorld: (world) => {
      const inForce = world.router.inForce.bind(world.router);
      let looks = 0;
      world.router.inForce = (scope) => {
        const routes = inForce(scope);
        looks += 1;
        return routes === undefined || looks % 50 !== 0 ? routes : { ...routes, revision: routes.revision - 1 };
      };
    },
  },
];

describe('the checker finds out', () => {
  for (const { invariant, how, breakWorld } of breakages) {
    it(`${how}: ${invariant}`, async () => {
      const found = await firstViolation(breakWorld, invariant);
      assert.equal(found, invariant);
    });
  }
});

/** The invariant that the breakage violates in any of the first seeds; the last other one where it never does. */
async function firstViolation(breakWorld: (world: World) => void, wanted: string): Promise<string | undefined> {
  let other: string | undefined;
  for (let seed = 1; seed <= 100; seed += 1) {
    try {
      await simulate(seed, { breakWorld });
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      if (error.invariant === wanted) return wanted;
      other = error.invariant;
    }
  }
  return other;
}

function changeRoutes(world: World, change: (routes: Routes) => Routes): void {
  const apply = world.router.apply.bind(world.router);
  world.router.apply = (routes, signal) => apply(change(routes), signal);
}
