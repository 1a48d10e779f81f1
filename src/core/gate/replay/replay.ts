// Replays a recorded log through a gate, second by second, and says what would have happened and when. Memory does not grow with the log.

import { bucketOf, latencyBounds } from '../histogram.ts';
import { addCounts, addRequest, clearCounts, noCounts, type Counts } from '../statistics/counts.ts';
import { evaluate, type GateEvidence, type GateReason, type GateVerdict } from '../statistics/evidence.ts';
import { addReading, stageStarted, startGate, type GateState } from '../statistics/gate.ts';
import { createHistory, observeStableRequest, type StableHistory } from '../statistics/history.ts';
import { promotionLogs } from '../statistics/promotion.ts';
import type { StatisticalGate } from '../statistics/settings.ts';
import { totalWealth } from '../statistics/wealth.ts';
import type { LineParser, LogRecord, TraceHeader } from './record.ts';
import { gateFromTrace } from './reference-settings.ts';

export interface ReplayOptions {
  readonly parser: LineParser;
  /** Undefined: what a trace's header says. */
  readonly gate?: StatisticalGate | undefined;
  /** The candidate's configured share, basis points; undefined: not known, so the split is not checked. */
  readonly share?: number | undefined;
}

/** A moment of the replay: the wealth against the candidate, and the least of the logarithms that must reach `ln(1/beta)`. */
export interface ReplayPoint {
  readonly atSeconds: number;
  readonly wealth: number;
  readonly promotion: number;
}

export interface ReplayVerdict {
  readonly verdict: 'abort' | 'promote' | 'inconclusive';
  /** Seconds after the candidate's first traffic: of the decision or, without one, of the end of the log. */
  readonly atSeconds: number;
  readonly reason: GateReason | 'empty';
  /** Requests of the candidate, and failed ones, until then. */
  readonly badRequests: number;
  readonly candidateRequests: number;
  readonly wealth: number;
  /** Lines of all kinds, lines that could not be read, and the first problems with their line numbers. */
  readonly lines: number;
  readonly unreadableLines: number;
  readonly problems: readonly string[];
  /** Requests whose time was before that of an earlier one; they count at the later time. */
  readonly backwards: number;
  /** Settings of the trace that mean nothing here. */
  readonly ignoredSettings: readonly string[];
}

export interface ReplayResult {
  readonly verdict: ReplayVerdict;
  /** Undefined when the log had no request of the candidate. */
  readonly evidence: GateEvidence | undefined;
  readonly judgement: GateVerdict | undefined;
  readonly points: readonly ReplayPoint[];
  readonly gate: StatisticalGate;
}

export interface Replay {
  /** Takes one line; after the decision lines are only counted. */
  readonly addLine: (line: string) => void;
  /** True when the verdict is known, so that a reader may stop. */
  readonly isDecided: () => boolean;
  readonly finish: () => ReplayResult;
}

const shownProblems = 5;
const tickSeconds = 1;

export function createReplay({ parser, gate, share }: ReplayOptions): Replay {
  const count = { lines: 0, unreadable: 0 };
  const problems: string[] = [];
  let header: TraceHeader | undefined;
  let judge: Judge | undefined;
  const ensure = (): Judge => (judge ??= createJudge({ gate, share, header }));
  return {
    addLine(line) {
      count.lines += 1;
      const read = parser(line);
      if (read.kind === 'request') ensure().add(read.record);
      if (read.kind === 'header' && judge === undefined) header = read.header;
      if (read.kind !== 'unreadable') return;
      count.unreadable += 1;
      if (problems.length < shownProblems) problems.push(`line ${count.lines}: ${read.problem}`);
    },
    isDecided: () => judge?.decision !== undefined,
    finish() {
      const { decision, points, gate: used, ignored, backwards } = ensure().finish();
      const tally = {
        lines: count.lines,
        unreadableLines: count.unreadable,
        problems,
        backwards,
        ignoredSettings: ignored,
      };
      const { judgement, ...summary } = decision;
      return { verdict: { ...summary, ...tally }, judgement, evidence: judgement?.evidence, points, gate: used };
    },
  };
}

interface Decision {
  readonly verdict: 'abort' | 'promote' | 'inconclusive';
  readonly atSeconds: number;
  readonly reason: GateReason | 'empty';
  readonly badRequests: number;
  readonly candidateRequests: number;
  readonly wealth: number;
  readonly judgement: GateVerdict | undefined;
}

interface JudgeSetup {
  readonly gate: StatisticalGate | undefined;
  readonly share: number | undefined;
  readonly header: TraceHeader | undefined;
}

/** Gathers requests to seconds, and judges each second when the next one begins. */
class Judge {
  decision: Decision | undefined;
  backwards = 0;
  readonly points: ReplayPoint[] = [];
  readonly gate: StatisticalGate;
  readonly ignored: readonly string[];
  readonly #setup: JudgeSetup;
  readonly #bounds: readonly number[];
  readonly #history: StableHistory;
  readonly #second: { readonly candidate: Counts; readonly stable: Counts };
  #state: GateState | undefined;
  /** Seconds at which the trial began, and the latest time seen; a trace begins at 0. */
  #startedAt: number | undefined;
  #latest = Number.NEGATIVE_INFINITY;
  #tick = 0;
  #everyTicks = 1;

  constructor(setup: JudgeSetup) {
    this.#setup = setup;
    const fromTrace = gateFromTrace(setup.header?.settings ?? {});
    this.gate = setup.gate ?? fromTrace.gate;
    this.ignored = setup.gate === undefined ? fromTrace.ignored : [];
    this.#bounds = setup.header?.bounds ?? latencyBounds;
    this.#history = createHistory(this.#bounds.length + 1);
    if (setup.header?.history !== undefined) addCounts(this.#history.counts, setup.header.history);
    this.#second = { candidate: noCounts(this.#bounds.length + 1), stable: noCounts(this.#bounds.length + 1) };
    if (setup.header !== undefined) this.#start(0);
  }

  add(record: LogRecord): void {
    if (this.decision !== undefined) return;
    if (record.atSeconds < this.#latest) this.backwards += 1;
    this.#latest = Math.max(this.#latest, record.atSeconds);
    if (this.#startedAt === undefined) {
      if (record.release === 'stable') return this.#remember(record);
      this.#start(Math.ceil(record.atSeconds) - tickSeconds);
    }
    this.#closeUntil(this.#latest - (this.#startedAt ?? 0));
    if (this.decision === undefined) this.#count(this.#second[record.release], record);
  }

  finish(): {
    decision: Decision;
    points: readonly ReplayPoint[];
    gate: StatisticalGate;
    ignored: readonly string[];
    backwards: number;
  } {
    const state = this.#state;
    if (this.decision === undefined && state !== undefined) this.#closeTick();
    const decision = this.decision ?? this.#open(state);
    return { decision, points: this.points, gate: this.gate, ignored: this.ignored, backwards: this.backwards };
  }

  /** Stable before the candidate's first request. */
  #remember(record: LogRecord): void {
    const bucket = bucketOf(record.latencyMs ?? 0, this.#bounds);
    observeStableRequest(this.#history, record.atSeconds * 1000, record.status >= 500, bucket);
  }

  #count(counts: Counts, { status, latencyMs }: LogRecord): void {
    if (latencyMs === undefined && status < 500) counts.requests += 1;
    else addRequest(counts, status >= 500, bucketOf(latencyMs ?? 0, this.#bounds));
  }

  #start(atSeconds: number): void {
    const { share } = this.#setup;
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
    if (state.failed === undefined && !complete) return;
    const judgement = evaluate(this.gate, state, at);
    if (judgement.outcome !== 'inconclusive') this.decision = this.#decide(state, judgement);
  }

  #isComplete(state: GateState): boolean {
    const { errors, p95, p99 } = promotionLogs(state.wealth.promotion);
    return Math.min(errors, p95, p99) >= Math.log(1 / this.gate.beta);
  }

  /** Keeps at most 600 points: when there are more, every second one goes and the steps double. */
  #note(state: GateState): void {
    if (this.#tick % this.#everyTicks !== 0 && state.failed === undefined) return;
    const { errors, p95, p99 } = promotionLogs(state.wealth.promotion);
    this.points.push({
      atSeconds: this.#tick * tickSeconds,
      wealth: totalWealth(state.wealth),
      promotion: Math.min(errors, p95, p99),
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

const createJudge = (setup: JudgeSetup): Judge => new Judge(setup);
