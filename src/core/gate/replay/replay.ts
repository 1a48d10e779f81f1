// Replays a recorded log through a gate and says what would have happened and when. Memory does not grow with the log.

import type { GateEvidence, GateReason, GateVerdict } from '../statistics/evidence.ts';
import type { StatisticalGate } from '../statistics/settings.ts';
import { Judge, type ReplayPoint } from './judge.ts';
import { longestLine, unreadable, type LineParser, type TraceHeader } from './record.ts';

export interface ReplayOptions {
  readonly parser: LineParser;
  /** Undefined: what a trace's header says, or the default preset where there is none. */
  readonly gate?: StatisticalGate | undefined;
  /**
   * The candidate's configured share, basis points. Undefined: what a trace's header says, or not known: then the split is not
   * checked, and the margins are those of the greatest share.
   */
  readonly share?: number | undefined;
  /** Judge on after the candidate could have been promoted, as later stages and the watch do. */
  readonly whole?: boolean | undefined;
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
  /** What was left out of the judgement, and why: a sentence each. */
  readonly notes: readonly string[];
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
  readonly finish: () => ReplayResult;
}

const shownProblems = 5;

export function createReplay({ parser, gate, share, whole = false }: ReplayOptions): Replay {
  const count = { lines: 0, unreadable: 0 };
  const problems: string[] = [];
  let header: TraceHeader | undefined;
  let judge: Judge | undefined;
  const ensure = (): Judge => (judge ??= new Judge({ gate, share, whole, header }));
  return {
    addLine(line) {
      count.lines += 1;
      const read = line.length > longestLine ? unreadable(`longer than ${longestLine} characters`) : parser(line);
      if (read.kind === 'request') ensure().add(read.record);
      const late = read.kind === 'header' && (judge !== undefined || header !== undefined);
      if (read.kind === 'header' && !late) header = read.header;
      if (read.kind !== 'unreadable' && !late) return;
      const problem = read.kind === 'unreadable' ? read.problem : 'a header after the beginning: one trace at a time';
      count.unreadable += 1;
      if (problems.length < shownProblems) problems.push(`line ${count.lines}: ${problem}`);
    },
    finish() {
      const { decision, points, gate: used, ignored, backwards, notes } = ensure().finish();
      const tally = {
        lines: count.lines,
        unreadableLines: count.unreadable,
        problems,
        backwards,
        ignoredSettings: ignored,
        notes,
      };
      const { judgement, ...summary } = decision;
      return { verdict: { ...summary, ...tally }, judgement, evidence: judgement?.evidence, points, gate: used };
    },
  };
}
