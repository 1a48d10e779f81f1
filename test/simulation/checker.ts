// What must hold in the simulated world after every step, judged from outside: by what the router, platform and store show.

import { isBound } from '../../src/core/gate/verdict.ts';
import { allTraffic, shareOf, type Routes } from '../../src/core/routes.ts';
import type { EventRecord } from '../../src/core/rollout/record.ts';
import type { Rollout } from '../../src/core/rollout/rollout.ts';
import type { Situation } from '../../src/core/rollout/situation.ts';
import { isFinal } from '../../src/core/rollout/status.ts';
import { scope } from './specs.ts';
import type { World } from './world.ts';

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

/** How long an instance that ended by itself may still be in traffic before anybody can have noticed. */
const noticeMs = 40_000;

export class Checker {
  readonly #world: World;
  #seen: Routes | undefined;
  readonly #versions = new Map<string, { readonly version: number; readonly to: string }>();
  readonly #failedGates = new Set<string>();
  /** Deployments that a person sent on. */
  readonly #sentOn = new Set<string>();
  #sequence = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async afterStep(): Promise<void> {
    if (this.#world.defect !== undefined) throw new Violation('no assertion fails', this.#world.defect.slice(0, 300));
    await this.#checkRecords();
    const rollouts = await this.#world.store.rollouts({ scope, limit: 20 });
    for (const rollout of rollouts) this.#checkVersion(rollout);
    this.#checkOneActive(rollouts);
    this.#checkRoutes(rollouts);
  }

  /** When everything has come to rest. */
  async atRest(): Promise<void> {
    const rollouts = await this.#world.store.rollouts({ scope, limit: 20 });
    const [state] = await this.#world.store.scopes(scope);
    for (const rollout of rollouts) {
      if (!isFinal(rollout.status)) throw new Violation('everything ends', `${rollout.id} is still ${rollout.status}`);
      if (this.#failedGates.has(rollout.id) && rollout.status === 'VERIFIED') {
        throw new Violation('a failing gate never ends in promotion', `${rollout.id} was verified`);
      }
    }
    for (const rollout of rollouts) this.#checkAnswers(rollout);
    this.#checkRemoval(state?.situation);
    if (state?.outbox.length !== 0) throw new Violation('nothing is left over', 'effects lie in the outbox');
    this.#checkEnd(rollouts, state.situation.stable?.release.id);
    const known = new Set([state.situation.stable?.release.id, state.situation.warm?.placement.release.id]);
    const orphan = this.#world.platform.view().find((instance) => !known.has(instance.release));
    if (orphan !== undefined) throw new Violation('nothing is left over', `instance ${orphan.id} belongs to nobody`);
  }

  /** What was taken away is gone, whoever was killed or frozen meanwhile. */
  #checkRemoval(situation: Situation | undefined): void {
    if (situation?.removal === undefined) return;
    if (!situation.removal.finished) throw new Violation('what is taken away is gone', 'the removal is not through');
    if (this.#world.router.inForce(scope) !== undefined)
      throw new Violation('what is taken away is gone', 'it still has routes');
    const [left] = this.#world.platform.view();
    if (left !== undefined) throw new Violation('what is taken away is gone', `instance ${left.id} is still there`);
  }

  /** By itself nothing goes on from a hold in which a metric source had no good number. */
  #checkAnswers({ id, status, judgements }: Rollout): void {
    if (status !== 'VERIFIED' || this.#sentOn.has(id)) return;
    const open = judgements.find(({ judgement }) => isBound(judgement));
    if (open !== undefined) throw new Violation('no number, no promotion', `${id} went on from ${open.name}`);
  }

  /** Traffic is where the record says: on stable, wholly, on instances that run. */
  #checkEnd(rollouts: readonly Rollout[], stable: string | undefined): void {
    const routes = this.#world.router.inForce(scope);
    // A deployment that a person must look at is allowed to have left things as they are.
    if (rollouts[0]?.status === 'FAILED') return;
    if (stable === undefined) {
      if ((routes?.groups ?? []).some((group) => group.share > 0))
        throw new Violation('a rollback ends on the former release', 'there was none, but traffic is routed');
      return;
    }
    if (routes === undefined || shareOf(routes, stable) !== allTraffic) {
      throw new Violation('a rollback ends on the former release', `${stable} does not have all traffic`);
    }
    const running = this.#world.platform
      .view()
      .filter((instance) => instance.release === stable && instance.state === 'running');
    if (running.length === 0)
      throw new Violation('traffic only to healthy instances', `no instance of ${stable} runs at the end`);
  }

  async #checkRecords(): Promise<void> {
    const records = await this.#world.store.records({ scope, after: this.#sequence, limit: 1000 });
    for (const record of records) this.#checkRecord(record);
    this.#sequence = records.at(-1)?.sequence ?? this.#sequence;
  }

  #checkRecord(record: EventRecord): void {
    // It speaks of the service, not of the deployment that it is told with.
    if (record.event.kind === 'removed') return;
    const before = this.#versions.get(record.deployment) ?? { version: 0, to: 'INIT' };
    if (record.version !== before.version + 1 || record.from !== before.to) {
      throw new Violation(
        'every change has exactly one record',
        `${record.deployment} version ${record.version} ${record.from} follows version ${before.version} ${before.to}`,
      );
    }
    this.#versions.set(record.deployment, { version: record.version, to: record.to });
    if (record.event.kind === 'promote') this.#sentOn.add(record.deployment);
    if (record.event.kind === 'judged' && record.event.judgement.outcome === 'fail' && isTrial(record)) {
      this.#failedGates.add(record.deployment);
    }
  }

  #checkVersion(rollout: Rollout): void {
    const version = this.#versions.get(rollout.id)?.version ?? 0;
    if (rollout.version !== version) {
      throw new Violation(
        'every change has exactly one record',
        `${rollout.id} is at version ${rollout.version}, its records at ${version}`,
      );
    }
  }

  #checkOneActive(rollouts: readonly Rollout[]): void {
    const active = rollouts.filter((rollout) => !isFinal(rollout.status));
    if (active.length > 1)
      throw new Violation('one deployment at a time', active.map((rollout) => rollout.id).join(', '));
  }

  #checkRoutes(rollouts: readonly Rollout[]): void {
    const routes = this.#world.router.inForce(scope);
    if (routes === undefined) {
      this.#seen = undefined;
      return;
    }
    const total = routes.groups.reduce((sum, group) => sum + group.share, 0);
    if (total !== allTraffic && total !== 0) throw new Violation('shares add up', `they add up to ${total}`);
    const [newest] = rollouts;
    if (newest !== undefined) this.#checkShare(routes, newest);
    if (this.#seen !== undefined && routes.revision < this.#seen.revision)
      throw new Violation('routes never go back in time', `revision ${routes.revision} after ${this.#seen.revision}`);
    if (routes.revision !== this.#seen?.revision) this.#checkEndpoints(routes);
    this.#seen = routes;
  }

  #checkShare(routes: Routes, rollout: Rollout): void {
    const share = shareOf(routes, rollout.plan.candidate.id);
    const allowed = this.#world.committed.get(rollout.id) ?? 0;
    if (share > allowed)
      throw new Violation('share within its stage', `${rollout.id} has ${share} of at most ${allowed}`);
    if (rollout.course === 'back' && rollout.safeAt !== undefined && share > 0 && rollout.plan.strategy !== 'same') {
      throw new Violation('share within its stage', `${rollout.id} went back but has ${share}`);
    }
  }

  #checkEndpoints(routes: Routes): void {
    const now = this.#world.clock.now();
    for (const group of routes.groups.filter((candidate) => candidate.share > 0)) {
      for (const endpoint of group.endpoints) {
        const crashed = this.#world.crashedAt.get(endpoint.instance);
        const unnoticed = crashed !== undefined && now - crashed < noticeMs;
        // After the clock jumped back an instance may have started in the future; what it answers then means nothing.
        const fromTheFuture = this.#world.platform
          .view()
          .some(({ id, startedAt }) => id === endpoint.instance && startedAt > now);
        if (fromTheFuture) continue;
        if (this.#world.platform.answer(endpoint.address) !== 'healthy' && !unnoticed) {
          throw new Violation(
            'traffic only to healthy instances',
            `${endpoint.instance} of ${group.release} gets traffic`,
          );
        }
      }
      if (group.endpoints.length === 0 && this.#world.crashedAt.size === 0) {
        throw new Violation(
          'traffic only to healthy instances',
          `${group.release} has ${group.share} without an instance`,
        );
      }
    }
  }
}

/** Whether the judgement was about a hold that was still in progress; one that comes late speaks of the past. */
function isTrial(record: EventRecord): boolean {
  return record.from !== 'ROLLING_BACK';
}
