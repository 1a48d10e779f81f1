// Walks along the commits of one kind of deployment: kills the controller at each, lets the next one recover, and looks at what is left.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Command } from '../../../src/core/rollout/event.ts';
import type { Rollout } from '../../../src/core/rollout/rollout.ts';
import { isFinal, type Status } from '../../../src/core/rollout/status.ts';
import { aftermath } from './aftermath.ts';
import type { Order, Trap } from './orders.ts';
import { type Ground, Place } from './place.ts';
import { Visitor } from './visitors.ts';

export interface Course {
  readonly name: string;
  /** What a person orders while a commit is under way, in turns. */
  readonly commands: readonly Command[];
  /** Whether each attempt needs a place where nothing was deployed yet. */
  readonly fresh: boolean;
  /** Brings the place to where an attempt begins; `obey` rejects where it does not work. */
  readonly prepare: (place: Place, attempt: number, obey: Obey) => Promise<void>;
  /** What is interrupted. */
  readonly order: (place: Place, attempt: number) => Promise<Exclude<Order, { kind: 'command' }>>;
}

export type Obey = (order: Order) => Promise<void>;

const patienceMs = 60_000;

/** `traps` is told of each whether the controller got as far; every request meanwhile has to be answered. */
export async function walk(
  course: Course,
  ground: Ground,
  traps: Generator<Trap, void, boolean>,
  context: TestContext,
): Promise<void> {
  const walker = new Walker(course, ground);
  context.after(() => walker.close());
  const began = performance.now();
  for (let step = traps.next(); step.done !== true;) step = traps.next(await walker.attempt(step.value));
  await walker.close();
  context.diagnostic(`${walker.tally()} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  assert.deepEqual(walker.failures, []);
  assert.ok(walker.kills > 3, 'hardly a controller was killed');
}

/**
 * With commands the walk begins at the second commit: a deployment takes none before its first. A command that dies while it waits
 * for its turn leaves no trace, so that is tried once with each; that it is carried out once it was committed, at every commit.
 */
export function* everyCommit(commands: readonly Command[]): Generator<Trap, void, boolean> {
  const first = commands.length > 0 ? 2 : 1;
  let goesOn = true;
  for (let commit = first; goesOn; commit += 1) {
    const pending = commands[commit % Math.max(1, commands.length)];
    if (pending === undefined || commit < first + commands.length) yield { commit, side: 'before', pending };
    goesOn = yield { commit, side: 'after', pending };
  }
}

class Walker {
  readonly #course: Course;
  readonly #ground: Ground;
  #place: Place | undefined;
  #visitor: Visitor | undefined;
  #attempts = 0;
  readonly #ends = new Map<Status | 'never began', number>();
  #requests = 0;
  kills = 0;
  readonly failures: string[] = [];

  constructor(course: Course, ground: Ground) {
    this.#course = course;
    this.#ground = ground;
  }

  /** Kills the controller at the trap and waits for the end of what it left. False when the deployment ended before the trap. */
  async attempt(trap: Trap): Promise<boolean> {
    this.#attempts += 1;
    const place = await this.#prepared();
    const order = await this.#course.order(place, this.#attempts);
    const before = await this.#newest(place);
    const stableBefore = await stableOf(place);
    const outcome = await place.order({ ...order, trap });
    if (outcome !== 'killed' && outcome.kind !== 'done') throw new Error(`${this.#words(trap)}: ${outcome.message}`);
    if (outcome === 'killed') {
      this.kills += 1;
      await place.startController();
    }
    try {
      await this.#resumed(place);
      const last = await aftermath(place);
      const deployment = last?.id === before?.id ? undefined : last;
      await this.#judge(place, order, deployment, stableBefore);
    } catch (error) {
      throw new Error(this.#words(trap), { cause: error });
    }
    if (this.#course.fresh) await this.#leave();
    return outcome === 'killed';
  }

  /** How the deployments ended. */
  tally(): string {
    const ends = [...this.#ends].map(([status, count]) => `${count} ${status}`).join(', ');
    return `${this.kills} kills (${ends}), ${this.#requests} requests meanwhile`;
  }

  async close(): Promise<void> {
    await this.#leave();
  }

  async #prepared(): Promise<Place> {
    const first = this.#place === undefined;
    const place = (this.#place ??= await Place.open(this.#ground));
    if (first) await place.startController();
    await this.#course.prepare(place, this.#attempts, async (order) => {
      const outcome = await place.order(order);
      if (outcome === 'killed' || outcome.kind !== 'done') throw new Error(`not prepared: ${JSON.stringify(outcome)}`);
    });
    if (!this.#course.fresh) this.#visitor ??= new Visitor(place.port);
    return place;
  }

  /** A pause that was committed is ended by a person, as it was ordered by one. */
  async #resumed(place: Place): Promise<void> {
    const giveUpAt = performance.now() + patienceMs;
    while (performance.now() < giveUpAt) {
      const newest = await this.#newest(place);
      if (newest === undefined || isFinal(newest.status)) return;
      if (newest.status === 'PAUSED') {
        const outcome = await place.order({ kind: 'command', scope: place.scope, command: { kind: 'resume' } });
        if (outcome === 'killed' || outcome.kind !== 'done') throw new Error(`no resume: ${JSON.stringify(outcome)}`);
        return;
      }
      await sleep(40);
    }
    throw new Error('the deployment does not end');
  }

  /** It ends as it would have ended uninterrupted; only a person's abort that was committed takes it back. */
  async #judge(place: Place, order: Order, deployment: Rollout | undefined, stableBefore: string): Promise<void> {
    const end = deployment?.status ?? 'never began';
    this.#ends.set(end, (this.#ends.get(end) ?? 0) + 1);
    const wanted = deployment === undefined ? 'never began' : await wantedEnd(place, deployment);
    if (end !== wanted) {
      throw new Error(`${deployment?.id} is ${end} instead of ${wanted}: ${JSON.stringify(deployment?.failure)}`);
    }
    const stable = await stableOf(place);
    const expected = end === 'VERIFIED' || (await isRemoved(place)) ? stableAfter(order) : stableBefore;
    if (stable !== expected) throw new Error(`${stable} is stable instead of ${expected}`);
  }

  async #newest(place: Place): Promise<Rollout | undefined> {
    return (await place.store.rollouts({ scope: place.scope, limit: 1 }))[0];
  }

  async #leave(): Promise<void> {
    const [visitor, place] = [this.#visitor, this.#place];
    this.#visitor = undefined;
    this.#place = undefined;
    await visitor?.leave();
    this.#requests += visitor?.requests ?? 0;
    this.failures.push(...(visitor?.failures ?? []));
    await place?.close();
  }

  #words({ commit, side, pending }: Trap): string {
    const ordered = pending === undefined ? '' : ` with ${pending.kind} pending`;
    return `${this.#course.name}: killed ${side} commit ${commit}${ordered}`;
  }
}

/** The label of the stable release; empty where there is none. */
async function stableOf(place: Place): Promise<string> {
  const [state] = await place.store.scopes(place.scope);
  return state?.situation.stable?.release.label ?? '';
}

function stableAfter(order: Order): string {
  if (order.kind === 'deploy') return order.label;
  return order.kind === 'rollback' ? order.to : '';
}

async function isRemoved(place: Place): Promise<boolean> {
  const [state] = await place.store.scopes(place.scope);
  return state?.situation.removal !== undefined;
}

async function wantedEnd(place: Place, deployment: Rollout): Promise<Status> {
  const records = await place.store.records({ deployment: deployment.id, limit: 1000 });
  return records.some((record) => record.event.kind === 'abort') ? 'ROLLED_BACK' : 'VERIFIED';
}
