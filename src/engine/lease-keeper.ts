// Holds the lease of one scope: renews it in time and says at once when it is lost.

import { failureData } from '../base/failure.ts';
import { scopeName, type Scope } from '../core/scope.ts';
import type { Lease } from '../ports/store.ts';
import type { Dependencies } from './dependencies.ts';

export class LeaseKeeper {
  readonly #deps: Dependencies;
  readonly #ended = new AbortController();
  readonly #lost = new AbortController();
  #lease: Lease;

  constructor(deps: Dependencies, lease: Lease) {
    this.#deps = deps;
    this.#lease = lease;
    void this.#renewRegularly();
  }

  /** Undefined where somebody else holds it, and may be alive. */
  static async acquire(deps: Dependencies, scope: Scope): Promise<LeaseKeeper | undefined> {
    const { store, clock, holder, timing, isDead } = deps;
    const [state] = await store.scopes(scope);
    const current = state?.lease;
    const deadFence = current !== undefined && (await isDead(current.holder)) ? current.fence : undefined;
    const answer = await store.lease({
      kind: 'acquire',
      scope,
      holder,
      now: clock.now(),
      forMs: timing.leaseMs,
      ...(deadFence === undefined ? {} : { deadFence }),
    });
    return answer.granted && answer.lease !== undefined ? new LeaseKeeper(deps, answer.lease) : undefined;
  }

  get fence(): number {
    return this.#lease.fence;
  }

  get scope(): Scope {
    return this.#lease.scope;
  }

  /** Aborts when another controller may write: nothing more may be done to the scope from here. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether the lease surely still holds at this moment. */
  holds(): boolean {
    return !this.#lost.signal.aborted && this.#deps.clock.now() < this.#lease.until;
  }

  /** Gives the lease back so that others need not wait for its end; where the store does not take it, it ends by itself. */
  async release(): Promise<void> {
    this.#ended.abort();
    if (this.#lost.signal.aborted) return;
    try {
      await this.#deps.store.lease({ kind: 'release', scope: this.scope, fence: this.fence });
    } catch (error) {
      this.#deps.log.write('warn', 'the lease could not be given back; it ends by itself', {
        scope: scopeName(this.scope),
        error: failureData(error),
      });
    }
  }

  /** Ends the renewing without giving the lease back: it ends by itself, as after a crash. */
  abandon(): void {
    this.#ended.abort();
  }

  async #renewRegularly(): Promise<void> {
    const { clock, timing } = this.#deps;
    while (!this.#ended.signal.aborted) {
      await clock.sleep(timing.leaseMs / 3, this.#ended.signal);
      if (this.#ended.signal.aborted) return;
      if (!(await this.#renew())) return;
    }
  }

  /** False when it is lost. A store that does not answer does not lose the lease before its time. */
  async #renew(): Promise<boolean> {
    const { store, clock, timing, log } = this.#deps;
    try {
      const answer = await store.lease({
        kind: 'renew',
        scope: this.scope,
        fence: this.fence,
        now: clock.now(),
        forMs: timing.leaseMs,
      });
      if (answer.granted && answer.lease !== undefined) {
        this.#lease = answer.lease;
        return true;
      }
      this.lose('another controller holds it');
      return false;
    } catch (error) {
      log.write('warn', 'the lease could not be renewed', {
        scope: scopeName(this.scope),
        error: failureData(error),
      });
      return true;
    }
  }

  /** Called when the store says that this fence is no longer the newest. */
  lose(reason: string): void {
    if (this.#lost.signal.aborted) return;
    this.#deps.log.write('error', 'the lease is lost; this controller stops here', {
      scope: scopeName(this.scope),
      reason,
    });
    this.#ended.abort();
    this.#lost.abort();
  }
}
