// Judges requests second by second, in the order of a log, until the gate decides.

import { bucketOf, latencyBounds } from '../histogram.ts';
import { addCounts, addRequest, clearCounts, noCounts, type Counts } from '../statistics/counts.ts';
import { evaluate, type GateReason, type GateVerdict } from '../statistics/evidence.ts';
import { addReading, stageStarted, startGate, type GateState } from '../statistics/gate.ts';
import { createHistory, observeStable, type StableHistory } from '../statistics/history.ts';
import { leastOf, promotionLogs } from '../statistics/promotion.ts';
import { gatePresets, type StatisticalGate } from '../statistics/settings.ts';
import { totalWealth } from '../statistics/wealth.ts';
import type { LogRecord, TraceHeader } from './record.ts';
import { gateFromTrace } from './reference-settings.ts';

const tickSeconds = 1;

/** A moment of the replay: the wealth against the candidate, and the least of the logarithms that must reach `ln(1/beta)`. */
export interface ReplayPoint {
  readonly atSeconds: number;
  readonly wealth: number;
  readonly promotion: number;
}

export interface Decision {
  readonly verdict: 'abort' | 'promote' | 'inconclusive';
  readonly atSeconds: number;
  readonly reason: GateReason | 'empty';
  readonly badRequests: number;
  readonly candidateRequests: number;
  readonly wealth: number;
  readonly judgement: GateVerdict | undefined;
}

export interface JudgeSetup {
  readonly gate: StatisticalGate | undefined;
  readonly share: number | undefined;
  readonly whole: boolean;
  readonly header: TraceHeader | undefined;
}

/** A log that goes back by more than this goes on in a clock that was set back; by less, its lines are out of order. */
const setBackSeconds = 1800;

/** Gathers requests to seconds, and judges each second when the next one begins. Keeps a bounded number of points. */
export class Judge {
  decision: Decision | undefined;
  /** When the candidate could have been promoted first, where it is judged on. */
  #passed: Decision | undefined;
  backwards = 0;
  readonly points: ReplayPoint[] = [];
  readonly gate: StatisticalGate;
  readonly ignored: readonly string[];
  readonly #setup: JudgeSetup;
  readonly #bounds: readonly number[];
  readonly #history: StableHistory;
  readonly #second: { readonly candidate: Counts; readonly stable: Counts };
  readonly #one: Counts;
  #untimed = 0;
  #setBack = 0;
  /** Seconds that a clock that was set back lacks. */
  #offset = 0;
  #state: GateState | undefined;
  /** Seconds at which the trial began, and the latest time seen; a trace begins at 0. */
  #startedAt: number | undefined;
  #latest = Number.NEGATIVE_INFINITY;
  #tick = 0;
  #everyTicks = 1;

  constructor(setup: JudgeSetup) {
    this.#setup = setup;
    const { gate, ignored } = gateOf(setup);
    this.gate = gate;
    this.ignored = ignored;
    this.#bounds = setup.header?.bounds ?? latencyBounds;
    const buckets = this.#bounds.length + 1;
    this.#history = createHistory(buckets);
    if (setup.header?.history !== undefined) addCounts(this.#history.counts, setup.header.history);
    this.#second = { candidate: noCounts(buckets), stable: noCounts(buckets) };
    this.#one = noCounts(buckets);
    if (setup.header !== undefined) this.#start(0);
  }

  add(record: LogRecord): void {
    if (this.decision !== undefined) return;
    const at = this.#timeOf(record);
    if (this.#startedAt === undefined) {
      if (record.release === 'stable') return this.#remember(at, record);
      this.#start(Math.ceil(at) - tickSeconds);
    }
    this.#closeUntil(at - (this.#startedAt ?? 0));
    if (this.decision === undefined) this.#count(this.#second[record.release], record);
  }

  /** The time at which a request counts: never before that of an earlier one. */
  #timeOf({ atSeconds }: LogRecord): number {
    let at = atSeconds + this.#offset;
    if (at < this.#latest - setBackSeconds) {
      this.#setBack += 1;
      this.#offset += this.#latest - at;
      at = this.#latest;
    } else if (at < this.#latest) this.backwards += 1;
    this.#latest = Math.max(this.#latest, at);
    return this.#latest;
  }

  finish(): {
    decision: Decision;
    points: readonly ReplayPoint[];
    gate: StatisticalGate;
    ignored: readonly string[];
    backwards: number;
    notes: readonly string[];
  } {
    const state = this.#state;
    if (this.decision === undefined && state !== undefined) this.#closeTick();
    const decision = this.decision ?? this.#passed ?? this.#open(state);
    const { points, gate, ignored, backwards } = this;
    return { decision, points, gate, ignored, backwards: backwards + this.#setBack, notes: this.#notes(state) };
  }

  #notes(state: GateState | undefined): readonly string[] {
    const notes: string[] = [];
    if (state !== undefined && state.totals.candidate.requests === 0)
      notes.push('no request of the candidate was found');
    if (state !== undefined && state.totals.stable.requests === 0) notes.push('no request of stable was found');
    if (this.#setup.header?.bucketsDiffer === true)
      notes.push(
        'the releases have different latency buckets, so only errors were compared, and nothing can be promoted',
      );
    else if (this.#untimed > 0)
      notes.push(`${this.#untimed} requests that worked do not say how long they took, so only their errors count`);
    if (this.#setBack > 0)
      notes.push(`the clock was set back by more than half an hour ${this.#setBack} times; time goes on where it was`);
    return notes;
  }

  /** Stable before the candidate's first request. */
  #remember(atSeconds: number, record: LogRecord): void {
    clearCounts(this.#one);
    this.#count(this.#one, record);
    observeStable(this.#history, atSeconds * 1000, this.#one);
  }

  #count(counts: Counts, { status, latencyMs }: LogRecord): void {
    const failed = status >= 500;
    const compared = latencyMs !== undefined && this.#setup.header?.bucketsDiffer !== true;
    if (failed || compared) addRequest(counts, failed, bucketOf(latencyMs ?? 0, this.#bounds));
    else {
      counts.requests += 1;
      this.#untimed += 1;
    }
  }

  #start(atSeconds: number): void {
    // a trace that is judged as it was made has no stages
    const share = this.#setup.share ?? (this.#setup.gate === undefined ? undefined : traceShare(this.#setup.header));
    this.#startedAt = atSeconds;
    const start = { candidate: 'candidate', stable: 'stable', at: 0, bounds: this.#bounds };
    this.#state = startGate(this.gate, start, this.#history);
    if (share !== undefined) stageStarted(this.gate, this.#state, { at: 0, share });
  }

  /** Closes all seconds that ended before `atSeconds`; a request at exactly k belongs to second k. An empty stretch is one step. */
  #closeUntil(atSeconds: number): void {
    if (atSeconds <= (this.#tick + 1) * tickSeconds || this.decision !== undefined) return;
    this.#closeTick();
    this.#tick = Math.max(this.#tick, Math.ceil(atSeconds / tickSeconds) - 1);
  }

  #closeTick(): void {
    const state = this.#state;
    if (state === undefined) return;
    this.#tick += 1;
    const at = this.#tick * tickSeconds * 1000;
    addReading(this.gate, state, at, this.#second);
    clearCounts(this.#second.candidate);
    clearCounts(this.#second.stable);
    this.#note(state);
    const complete = this.#isComplete(state);
    if (state.failed === undefined && (!complete || this.#passed !== undefined)) return;
    const judgement = evaluate(this.gate, state, at);
    if (judgement.outcome === 'pass' && this.#setup.whole) this.#passed ??= this.#decide(state, judgement);
    else if (judgement.outcome !== 'inconclusive') this.decision = this.#decide(state, judgement);
  }

  #isComplete(state: GateState): boolean {
    return leastOf(promotionLogs(state.wealth.promotion)) >= Math.log(1 / this.gate.beta);
  }

  /** Keeps at most 600 points: when there are more, every second one goes and the steps double. */
  #note(state: GateState): void {
    if (this.#tick % this.#everyTicks !== 0 && state.failed === undefined) return;
    this.points.push({
      atSeconds: this.#tick * tickSeconds,
      wealth: totalWealth(state.wealth),
      promotion: leastOf(promotionLogs(state.wealth.promotion)),
    });
    if (this.points.length <= 600) return;
    const kept = this.points.filter((_, index) => index % 2 === 1);
    this.points.splice(0, this.points.length, ...kept);
    this.#everyTicks *= 2;
  }

  #decide(state: GateState, judgement: GateVerdict): Decision {
    const verdicts = { fail: 'abort', pass: 'promote', inconclusive: 'inconclusive' } as const;
    return {
      verdict: verdicts[judgement.outcome],
      atSeconds: this.#tick * tickSeconds,
      reason: judgement.reason,
      badRequests: state.totals.candidate.errors,
      candidateRequests: state.totals.candidate.requests,
      wealth: totalWealth(state.wealth),
      judgement,
    };
  }

  #open(state: GateState | undefined): Decision {
    if (state !== undefined) return this.#decide(state, evaluate(this.gate, state, this.#tick * tickSeconds * 1000));
    const none = { atSeconds: 0, badRequests: 0, candidateRequests: 0, wealth: 1, judgement: undefined };
    return { verdict: 'inconclusive', reason: 'empty', ...none };
  }
}

/** The gate to judge with, and the settings of the trace that mean nothing. */
function gateOf({ gate, share, header }: JudgeSetup): {
  readonly gate: StatisticalGate;
  readonly ignored: readonly string[];
} {
  if (gate === undefined && header !== undefined) return gateFromTrace(header.settings);
  const chosen = gate ?? gatePresets.default;
  if ((share ?? traceShare(header)) !== undefined) return { gate: chosen, ignored: [] };
  const strictest = { ...(chosen.margins.at(-1) ?? chosen.margins[0]), upToShare: 10_000 };
  return { gate: { ...chosen, margins: [strictest] }, ignored: [] };
}

/** Basis points. */
function traceShare(header: TraceHeader | undefined): number | undefined {
  return header?.share === undefined ? undefined : Math.round(header.share * 10_000);
}
