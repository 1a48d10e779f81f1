// Deployments and ways back, one after the other, each with its expected end, and how long after the decision the release that was left was still sent requests.

import { setTimeout as sleep } from 'node:timers/promises';

import type { ReleaseId } from '../../src/core/release.ts';
import type { Rollout } from '../../src/core/rollout/rollout.ts';
import type { Status } from '../../src/core/rollout/status.ts';
import type { Site } from './site.ts';
import { specOf, type StrategyName } from './spec.ts';

export type Act =
  | { readonly kind: 'deploy'; readonly strategy: StrategyName; readonly instances: number }
  /** Back to the release before; at once where that runs warm. */
  | { readonly kind: 'rollback' }
  /** The same release again, with more or fewer instances. */
  | { readonly kind: 'scale'; readonly instances: number }
  /** A deployment that a person ends while it is looked at: in a stage of a canary, after a batch, behind a switch. */
  | { readonly kind: 'abort'; readonly strategy: StrategyName }
  /** A canary of a release that fails requests, which its gate ends. */
  | { readonly kind: 'gate' };

export interface Outcome {
  readonly act: Act;
  readonly rollout: Rollout;
  /** Epoch milliseconds of the record of the decision to go back; undefined where nothing goes back, or the old release has to be started first. */
  readonly decidedAt?: number | undefined;
  /** When a person's command was sent. */
  readonly askedAt?: number | undefined;
  /** What the traffic was taken from, and how many instances of it ran. */
  readonly left?: { readonly release: ReleaseId; readonly version: string; readonly instances: number } | undefined;
}

export interface ScenarioOptions {
  readonly site: Site;
  readonly drainMs: number;
  readonly holdMs: number;
}

/** Share of answers of a bad release that are errors. */
const badShare = 0.3;
/** The state in which a release has traffic for the first time. */
const lookedAt: Readonly<Record<StrategyName, Status>> = {
  canary: 'CANARY_WAITING',
  rolling: 'PROMOTING',
  'blue-green': 'VERIFYING',
};
/** So many instances of a release that is aborted; where they are replaced in batches, the first has one. */
const abortedInstances = 2;
/** How long an aborted release has had traffic; milliseconds. */
const beforeAbortMs = 500;

export class Scenario {
  readonly #options: ScenarioOptions;
  #deployed = 0;
  #latest: { readonly version: string; readonly instances: number; readonly strategy: StrategyName } | undefined;

  constructor(options: ScenarioOptions) {
    this.#options = options;
  }

  /** Throws when the deployment does not end as the act should. */
  async play(act: Act): Promise<Outcome> {
    switch (act.kind) {
      case 'deploy':
        return this.#deploy(act);
      case 'rollback':
        return this.#rollback(act);
      case 'scale':
        return this.#scale(act);
      case 'abort':
        return this.#abort(act);
      case 'gate':
        return this.#gate(act);
    }
  }

  async #deploy(act: Act & { readonly kind: 'deploy' }): Promise<Outcome> {
    const { site } = this.#options;
    const { strategy, instances } = act;
    const version = this.#nextVersion();
    const spec = await specOf({ ...this.#options, strategy, version, instances });
    const rollout = expectEnd(await site.deploy(spec, version), 'VERIFIED');
    this.#latest = { version, instances, strategy };
    return { act, rollout };
  }

  async #rollback(act: Act): Promise<Outcome> {
    const { site } = this.#options;
    const left = this.#latest;
    if (left === undefined) throw new Error('there is nothing to go back from');
    const spec = await specOf({ ...this.#options, ...left });
    const askedAt = Date.now();
    const rollout = expectEnd(await site.rollback(spec), 'VERIFIED');
    const warm = !rollout.plan.steps.some(({ step }) => step.kind === 'start');
    this.#latest = undefined;
    if (!warm) return { act, rollout };
    const { records } = await site.detail(rollout);
    const release = rollout.plan.stable?.id ?? '';
    return { act, rollout, left: { ...left, release }, askedAt, decidedAt: records[0]?.at };
  }

  async #scale(act: Act & { readonly kind: 'scale' }): Promise<Outcome> {
    if (this.#latest === undefined) throw new Error('nothing was deployed that could be scaled');
    this.#latest = { ...this.#latest, instances: act.instances };
    const spec = await specOf({ ...this.#options, ...this.#latest });
    const rollout = expectEnd(await this.#options.site.deploy(spec, this.#latest.version), 'VERIFIED');
    return { act, rollout };
  }

  async #abort(act: Act & { readonly kind: 'abort' }): Promise<Outcome> {
    const { site } = this.#options;
    const { strategy } = act;
    const version = this.#nextVersion();
    const instances = strategy === 'canary' ? 1 : abortedInstances;
    const spec = await specOf({ ...this.#options, holdMs: 30_000, strategy, version, instances });
    const begun = await site.client.deploy({ spec, label: version, actor: 'load@test' });
    await site.when(begun, ({ to }) => to === lookedAt[strategy]);
    await sleep(beforeAbortMs);
    const askedAt = Date.now();
    await site.client.command(spec.scope, { kind: 'abort', reason: 'the load asks for it' }, { actor: 'load@test' });
    const rollout = expectEnd(await site.ended(begun), 'ROLLED_BACK');
    const left = { version, instances: strategy === 'blue-green' ? instances : 1, release: rollout.plan.candidate.id };
    return { act, rollout, left, askedAt, decidedAt: rollout.wentBackAt };
  }

  async #gate(act: Act): Promise<Outcome> {
    const { site } = this.#options;
    const version = this.#nextVersion();
    const spec = await specOf({ ...this.#options, holdMs: 30_000, strategy: 'canary', version, errors: badShare });
    const rollout = expectEnd(await site.deploy(spec, version), 'ROLLED_BACK');
    return {
      act,
      rollout,
      left: { version, instances: 1, release: rollout.plan.candidate.id },
      decidedAt: rollout.wentBackAt,
    };
  }

  #nextVersion(): string {
    this.#deployed += 1;
    return `v${this.#deployed}`;
  }
}

function expectEnd(rollout: Rollout, status: Rollout['status']): Rollout {
  if (rollout.status === status) return rollout;
  const { id, plan, reason } = rollout;
  throw new Error(
    `${id} of ${plan.candidate.label ?? plan.candidate.id} ended as ${rollout.status}, not ${status}: ${reason ?? ''}`,
  );
}
