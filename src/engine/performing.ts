// The effects of one deployment under way: each carried out to its end, which is reported, or given up.

import { Failure, failureData } from '../base/failure.ts';
import type { Effect } from '../core/rollout/effect.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Dependencies, Drivers } from './dependencies.ts';
import type { Happening } from './happening.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { perform } from './perform.ts';

export interface PerformingOptions {
  readonly deps: Dependencies;
  readonly drivers: Drivers;
  readonly lease: LeaseKeeper;
  readonly rollout: Pick<Rollout, 'id' | 'plan'>;
  /** Nothing is begun or reported any more when it aborts. */
  readonly signal: AbortSignal;
  readonly report: (happening: Happening) => Promise<void>;
}

interface UnderWay {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export class Performing {
  readonly #options: PerformingOptions;
  /** By the effect's id. */
  readonly #underWay = new Map<string, UnderWay>();

  constructor(options: PerformingOptions) {
    this.#options = options;
  }

  begin(effect: Effect): void {
    const { signal } = this.#options;
    if (signal.aborted) return;
    const stop = new AbortController();
    const before = [...this.#underWay.values()].map((each) => each.done);
    const done = this.#toTheEnd(effect, AbortSignal.any([stop.signal, signal]), before);
    this.#underWay.set(effect.id, { stop, done: done.finally(() => this.#underWay.delete(effect.id)) });
  }

  giveUpAllBut(wanted: readonly Effect[]): void {
    for (const [id, { stop }] of this.#underWay) if (!wanted.some((effect) => effect.id === id)) stop.abort();
  }

  /** Resolves when none of them is under way any more and what came of it is reported. */
  async ended(effects: readonly Effect[]): Promise<void> {
    await Promise.all(effects.flatMap(({ id }) => this.#underWay.get(id)?.done ?? []));
  }

  async #toTheEnd(effect: Effect, signal: AbortSignal, before: readonly Promise<void>[]): Promise<void> {
    const { deps, drivers, lease, rollout, report } = this.#options;
    const { id, plan } = rollout;
    let told = false;
    const onRetry = (failure: unknown, attempt: number): void => {
      deps.log.write('warn', 'an effect did not work; trying again', {
        deployment: id,
        effect: effect.id,
        attempt,
        failure: failureData(failure),
      });
      if (told) return;
      told = true;
      void report({ kind: 'effect-retried', actor: 'sluice', effect: effect.id, failure: failureData(failure) });
    };
    try {
      // A start or a stop that was given up may still be at work: what it brings up must be there when it is to be stopped, and what
      // it takes down must be gone when it is to be started again.
      if (effect.action.kind === 'stop' || effect.action.kind === 'ensure')
        await Promise.race([Promise.all(before), deps.clock.sleep(deps.timing.effectMs, signal)]);
      // With a store that does not answer the lease may end unrenewed; nothing is done until it is sure again, or lost.
      while (!lease.holds() && !signal.aborted) await deps.clock.sleep(deps.timing.retryFirstMs, signal);
      if (signal.aborted) return;
      const result = await perform({ deps, drivers, deployment: id, plan, effect, signal, onRetry });
      if (!signal.aborted) await report({ kind: 'effect-done', actor: 'sluice', effect: effect.id, result });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failure))
        deps.log.write('error', 'an effect failed in an unforeseen way', {
          effect: effect.id,
          error: failureData(error),
          stack: error instanceof Error ? error.stack : undefined,
        });
      await report({ kind: 'effect-failed', actor: 'sluice', effect: effect.id, failure: failureData(error) });
    }
  }
}
