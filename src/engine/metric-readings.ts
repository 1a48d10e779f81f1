// Asks the questions among a hold's checks again and again, and keeps the newest answers to each.

import { failureData } from '../base/failure.ts';
import type { QueryReading, QueryReadings } from '../core/gate/assess-query.ts';
import type { GateCheck, QueryCheck } from '../core/gate/check.ts';
import { type MetricOutcome, type MetricQuestion, noNumber } from '../core/metrics/question.ts';
import type { MetricSource } from '../core/metrics/source.ts';
import type { ReleaseId } from '../core/release.ts';
import type { Scope } from '../core/scope.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Dependencies } from './dependencies.ts';
import { noteSource } from './note-source.ts';

export interface ReadingsOptions {
  readonly deps: Pick<Dependencies, 'metrics' | 'clock' | 'log'>;
  readonly scope: Scope;
  readonly checks: readonly GateCheck[];
  readonly sources: Readonly<Record<string, MetricSource>>;
  readonly candidate: ReleaseId;
  readonly stable?: ReleaseId | undefined;
  /** Epoch milliseconds; `{{window}}` never reaches back behind it. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
}

export class MetricReadings {
  readonly #options: ReadingsOptions;
  readonly #readings = new Map<string, readonly QueryReading[]>();

  constructor(options: ReadingsOptions) {
    this.#options = options;
  }

  /** Name of a check → its newest readings, as many as its verdict needs. */
  get newest(): QueryReadings {
    return this.#readings;
  }

  /** Asks each question after each of its pauses until the signal aborts. */
  async run(): Promise<void> {
    const questions = this.#options.checks.filter((check) => check.kind === 'query');
    await Promise.all(questions.map((check) => this.#askAgainAndAgain(check)));
  }

  async #askAgainAndAgain(check: QueryCheck): Promise<void> {
    const { deps, signal } = this.#options;
    for (;;) {
      await deps.clock.sleep(check.intervalMs, signal);
      if (signal.aborted) return;
      const reading = await this.#ask(check);
      if (signal.aborted) return;
      this.#noteChange(check, this.#readings.get(check.name)?.at(-1), reading);
      this.#readings.set(check.name, [...(this.#readings.get(check.name) ?? []), reading].slice(-check.points));
    }
  }

  #noteChange(check: QueryCheck, before: QueryReading | undefined, { value }: QueryReading): void {
    const { deps, scope } = this.#options;
    const none = (outcome: MetricOutcome | undefined) => (outcome?.kind === 'none' ? outcome : undefined);
    noteSource(deps.log, { ...scope, check: check.name, source: check.source }, none(before?.value), none(value));
  }

  async #ask(check: QueryCheck): Promise<QueryReading> {
    const { candidate, stable, deps } = this.#options;
    const { query, measuredAt } = check;
    const compares = check.worseThanStable !== undefined && stable !== undefined;
    const [value, samples, ofStable] = await Promise.all([
      this.#read(check, { query, measuredAt, values: this.#values(check, candidate) }),
      check.samples === undefined
        ? undefined
        : this.#read(check, { query: check.samples, values: this.#values(check, candidate) }),
      compares ? this.#read(check, { query, measuredAt, values: this.#values(check, stable) }) : undefined,
    ]);
    return {
      at: deps.clock.now(),
      value,
      ...(samples === undefined ? {} : { samples }),
      ...(ofStable === undefined ? {} : { stable: ofStable }),
    };
  }

  #values(check: QueryCheck, release: ReleaseId): MetricQuestion['values'] {
    const { scope, startedAt, deps } = this.#options;
    const windowMs = Math.min(check.windowMs, deps.clock.now() - startedAt);
    return { ...scope, release, windowSeconds: Math.max(1, Math.floor(windowMs / 1000)) };
  }

  async #read(check: QueryCheck, question: MetricQuestion): Promise<MetricOutcome> {
    const { signal, deps } = this.#options;
    try {
      return await this.#source(check).read(question, signal);
    } catch (error) {
      if (!signal.aborted)
        deps.log.write('error', 'a metric source broke its contract', {
          source: check.source,
          error: failureData(error),
        });
      return noNumber('failed', 'it could not be asked');
    }
  }

  #source(check: QueryCheck): Metrics {
    const source = this.#options.sources[check.source];
    if (source === undefined) throw new Error(`no source ${check.source}`);
    return this.#options.deps.metrics(source);
  }
}
