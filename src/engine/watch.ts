// Goes on looking after a promotion: a promoted release that turns bad, or is unhealthy for too long, is rolled back by itself.

import { failureData } from '../base/failure.ts';
import { judge } from '../core/gate/assess.ts';
import type { StatisticalCheck } from '../core/gate/check.ts';
import { candidateBetween, remembered } from '../core/gate/counter-blocks.ts';
import {
  addCountsToRecorded,
  addToRecorded,
  startRecorded,
  worseThanRecorded,
  type RecordedTrial,
} from '../core/gate/statistics/recorded.ts';
import type { StatisticalGate } from '../core/gate/statistics/settings.ts';
import type { Trial } from '../core/gate/trial.ts';
import { addSample, createWindow, type Window } from '../core/gate/window.ts';
import type { CounterReading } from '../core/metrics/counter-reading.ts';
import { badSince } from '../core/decision/bad-since.ts';
import { reasonOf } from '../core/decision/decide.ts';
import { formatDuration } from '../base/duration.ts';
import type { Placement } from '../core/rollout/situation.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import { scopeName, type Scope } from '../core/scope.ts';
import type { ScopeState } from '../ports/store.ts';
import type { LiveNumbers, RollbackRequest } from './controller.ts';
import { CounterReadings } from './counter-readings.ts';
import type { Dependencies } from './dependencies.ts';
import { healthCheck, whyUnwell } from './ensure-healthy.ts';
import { MetricReadings } from './metric-readings.ts';

export interface WatchOptions {
  readonly deps: Dependencies;
  readonly rollback: (request: RollbackRequest & { readonly badSince?: number | undefined }) => Promise<Rollout>;
  readonly live: (scope: Scope, deployment: string, live: LiveNumbers) => void;
  readonly signal: AbortSignal;
}

/** Evidence is judged on the last one to two of these, so that a release that was good for long is not excused for what it does now. */
const paneMs = 30_000;

/** A release to be watched. */
interface Watched {
  readonly placement: Placement;
  readonly scope: Scope;
  /** Epoch milliseconds. */
  readonly until: number;
  /** What the traffic showed during its deployment. */
  readonly trial: Trial | undefined;
}

/** The watches of all scopes; one per promoted deployment, for as long as its specification says. */
export class Watches {
  readonly #options: WatchOptions;
  readonly #active = new Map<string, AbortController>();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Begins the watches that should be, and ends the others. */
  keep(states: readonly ScopeState[]): void {
    const now = this.#options.deps.clock.now();
    const wanted = new Map<string, Watched>();
    for (const { situation, active, trial } of states) {
      if (active !== undefined || situation.watch === undefined || situation.stable === undefined) continue;
      if (now >= situation.watch.until || situation.earlier.length === 0) continue;
      wanted.set(situation.watch.deployment, {
        placement: situation.stable,
        scope: situation.scope,
        until: situation.watch.until,
        trial: trial?.deployment === situation.watch.deployment ? trial : undefined,
      });
    }
    for (const [deployment, stop] of this.#active) {
      if (wanted.has(deployment)) continue;
      stop.abort();
      this.#active.delete(deployment);
    }
    for (const [deployment, watched] of wanted) {
      if (this.#active.has(deployment)) continue;
      const stop = new AbortController();
      this.#active.set(deployment, stop);
      void this.#run(
        new Watch(this.#options, watched, AbortSignal.any([stop.signal, this.#options.signal])),
        watched.until,
      );
    }
  }

  async #run(watch: Watch, until: number): Promise<void> {
    try {
      await watch.run(until);
    } catch (error) {
      this.#options.deps.log.write('error', 'the watch over a promoted release broke off', {
        error: failureData(error),
      });
    }
  }
}

/** Why a promoted release has to go, and since when that shows, epoch milliseconds, where something tells. */
interface Found {
  readonly reason: string;
  readonly since?: number | undefined;
}

class Watch {
  readonly #options: WatchOptions;
  readonly #scope: Scope;
  readonly #placement: Placement;
  readonly #signal: AbortSignal;
  readonly #readings: MetricReadings;
  #pane: Window;
  #before: Window | undefined;
  #unhealthySince: number | undefined;
  /** The failure that was told last. */
  #told: string | undefined;
  #triggered = false;
  /** The comparison with what stable was like before, where that is known, and the counters that feed it, where the router does not. */
  readonly #counters: CounterReadings | undefined;
  readonly #recorded: { readonly gate: StatisticalGate; readonly trial: RecordedTrial } | undefined;

  constructor(options: WatchOptions, { scope, placement, until, trial }: Watched, signal: AbortSignal) {
    this.#options = options;
    this.#scope = scope;
    this.#placement = placement;
    this.#signal = signal;
    this.#pane = this.#newPane();
    const { spec, release } = placement;
    const { deps } = options;
    const [checks, sources] = [spec.watch.checks, spec.metrics ?? {}];
    const startedAt = deps.clock.now();
    this.#readings = new MetricReadings({ deps, scope, checks, sources, candidate: release.id, startedAt, signal });
    const check = spec.gates.find((each) => each.kind === 'statistical');
    if (check === undefined || trial?.gate === undefined || until <= startedAt) return;
    this.#recorded = { gate: check.gate, trial: startRecorded(check.gate, trial.gate, startedAt, until - startedAt) };
    this.#counters = this.#countersOf(check, trial.gate.bounds ?? [], this.#recorded.trial);
  }

  /** Where counters fed the gate, they are what the record can be compared with; the router may count otherwise. */
  #countersOf(
    { counters: feed }: StatisticalCheck,
    bounds: readonly number[],
    recorded: RecordedTrial,
  ): CounterReadings | undefined {
    const source = feed === undefined ? undefined : this.#placement.spec.metrics?.[feed.source];
    if (feed === undefined || source === undefined) return undefined;
    let before: CounterReading | undefined;
    return new CounterReadings({
      deps: this.#options.deps,
      feed,
      source,
      question: { scope: this.#scope, candidate: this.#placement.release.id },
      signal: this.#signal,
      onReading: (reading) => {
        if (before !== undefined) addCountsToRecorded(recorded, candidateBetween(before, reading, bounds));
        before = remembered(before, reading);
      },
    });
  }

  #newPane(): Window {
    return createWindow(this.#placement.release.id, undefined, this.#options.deps.clock.now());
  }

  async run(until: number): Promise<void> {
    await Promise.all([this.#collect(), this.#readings.run(), this.#counters?.run(), this.#look(until)]);
  }

  async #collect(): Promise<void> {
    const { deps } = this.#options;
    const { router } = deps.drivers(this.#placement.spec);
    if (!router.capabilities.feed) return;
    while (!this.#signal.aborted) {
      try {
        for await (const batch of router.feed(this.#scope, this.#signal)) this.#takeIn(batch);
      } catch (error) {
        if (!this.#signal.aborted)
          deps.log.write('warn', 'the feed of the router broke off during a watch', {
            scope: scopeName(this.#scope),
            error: failureData(error),
          });
      }
      await deps.clock.sleep(deps.timing.superviseMs, this.#signal);
    }
  }

  #takeIn(batch: { readonly samples: readonly Parameters<typeof addSample>[1][]; readonly lost: number }): void {
    this.#pane.lost += batch.lost;
    for (const sample of batch.samples) {
      addSample(this.#pane, sample);
      if (this.#counters !== undefined || this.#recorded === undefined) continue;
      if (sample.release === this.#placement.release.id) addToRecorded(this.#recorded.trial, sample);
    }
  }

  async #look(until: number): Promise<void> {
    const { clock, timing } = this.#options.deps;
    while (!this.#signal.aborted && clock.now() < until) {
      const found = await this.#found();
      if (found !== undefined && !this.#signal.aborted && (await this.#trigger(found))) return;
      await clock.sleep(timing.superviseMs, this.#signal);
    }
  }

  /** A look that fails is one look: whoever watches looks again. */
  async #found(): Promise<Found | undefined> {
    try {
      return this.#badTraffic() ?? (await this.#badHealth());
    } catch (error) {
      this.#tell('a look at a promoted release did not work; it is watched further', error);
      return undefined;
    }
  }

  /** Once for each failure that comes again and again. */
  #tell(words: string, error: unknown): void {
    const data = failureData(error);
    if (this.#signal.aborted || this.#told === data.message) return;
    this.#told = data.message;
    this.#options.deps.log.write('error', words, { scope: scopeName(this.#scope), error: data });
  }

  /** Why the traffic of the last minute speaks against the release. */
  #badTraffic(): Found | undefined {
    const { deps, live } = this.#options;
    const now = deps.clock.now();
    const windows = this.#before === undefined ? [this.#pane] : [this.#pane, this.#before];
    const readings = this.#readings.newest;
    const judgements = windows.map((window) => judge(this.#placement.spec.watch.checks, { window, readings }, now));
    if (now - this.#pane.startedAt >= paneMs) {
      this.#before = this.#pane;
      this.#pane = this.#newPane();
    }
    const [newest] = judgements;
    if (newest !== undefined) {
      const seconds = Math.max(1000, now - this.#pane.startedAt) / 1000;
      live(this.#scope, this.#placement.deployment, {
        at: now,
        judgement: newest,
        requestsPerSecond: newest.candidate.requests / seconds,
      });
    }
    const failing = judgements.find((judgement) => judgement.outcome === 'fail');
    if (failing !== undefined) return { reason: reasonOf(failing, 'fail'), since: badSince(failing) };
    if (this.#recorded === undefined) return undefined;
    const reason = worseThanRecorded(this.#recorded.gate, this.#recorded.trial, now);
    return reason === undefined ? undefined : { reason, since: newest?.candidate.failingSince };
  }

  /** Why its health speaks against it: some instance has failed every check for too long. */
  async #badHealth(): Promise<Found | undefined> {
    const { deps } = this.#options;
    const { spec, release } = this.#placement;
    const instances = (await deps.drivers(spec).platform.list(this.#scope)).filter(
      (instance) => instance.release === release.id,
    );
    const outcomes = await Promise.all(
      instances.map((instance) =>
        deps.prober.probe(healthCheck(spec.health, instance), { address: instance.address, tls: false }, this.#signal),
      ),
    );
    const bad =
      outcomes.find((outcome) => !outcome.passed)?.reason ?? instances.map(whyUnwell).find((why) => why !== undefined);
    const now = deps.clock.now();
    if (bad === undefined && instances.length > 0) {
      this.#unhealthySince = undefined;
      return undefined;
    }
    this.#unhealthySince ??= now;
    const since = this.#unhealthySince;
    if (now - since < spec.watch.healthFailingMs) return undefined;
    return {
      reason: `health has been failing for ${formatDuration(now - since)}: ${bad ?? 'no instance runs'}`,
      since,
    };
  }

  /** Whether the rollback has begun; where it could not, the next look tries again. */
  async #trigger({ reason, since }: Found): Promise<boolean> {
    const { deps, rollback } = this.#options;
    if (!this.#triggered)
      deps.log.write('error', 'a promoted release turned bad; it is rolled back', {
        scope: scopeName(this.#scope),
        release: this.#placement.release.id,
        reason,
      });
    this.#triggered = true;
    try {
      await rollback({
        scope: this.#scope,
        reason: `${this.#placement.release.id} turned bad after its promotion: ${reason}`,
        actor: 'sluice',
        badSince: since,
      });
      return true;
    } catch (error) {
      this.#tell('the rollback could not be started; it is tried again', error);
      return false;
    }
  }
}
