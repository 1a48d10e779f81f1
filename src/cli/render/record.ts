// Records as lines: what happened when, in which state, by whom; with the evidence where it is asked for.

import type { LiveNumbers } from '../context.ts';
import { errorRate, type ReleaseEvidence } from '../../core/gate/verdict.ts';
import type { EventRecord, RecordedEvent } from '../../core/rollout/record.ts';
import { statuses } from '../../core/rollout/status.ts';
import { renderEvidence } from './deployment.ts';
import { renderLastLines } from './last-lines.ts';
import type { Look } from './look.ts';
import { renderChecks } from './checks.ts';
import { clean, hanging, padEnd } from './text.ts';
import { count, latency, moment, percent, perSecond } from './units.ts';
import { tone } from './words.ts';

const statusWidth = Math.max(...statuses.map((status) => status.length));

/** One line, however long: for pipes and files. `12:01:03  CANARY  what happened (by alice@desk)`. */
export function recordLine(record: EventRecord, look: Look): string {
  return `${lead(record, look)}${record.words === '' ? record.event.kind : clean(record.words)}${by(record)}`;
}

/** The record wrapped, and under it what its event brought: evidence, check outcomes, a failure. */
export function renderRecord(record: EventRecord, look: Look): readonly string[] {
  const [first = '', ...rest] = hanging(lead(record, look), clean(record.words) + by(record), look.width);
  const status = padEnd(record.to, statusWidth);
  return [first.replace(status, () => tone(record.to, look)(status)), ...rest, ...particulars(record.event, look)];
}

function lead(record: EventRecord, look: Look): string {
  return `${moment(record.at, look.now, look.zone)}  ${padEnd(record.to, statusWidth)}  `;
}

/** What Sluice did by itself needs no name beside it, and most words name the person already. */
function by(record: EventRecord): string {
  const named = record.actor === 'sluice' || record.words.includes(record.actor);
  return named ? '' : ` (by ${clean(record.actor)})`;
}

const indent = 8;

function particulars(event: RecordedEvent, look: Look): readonly string[] {
  const narrow: Look = { ...look, width: look.width - indent };
  return particularLines(event, narrow).map((line) => ' '.repeat(indent) + line);
}

function particularLines(event: RecordedEvent, look: Look): readonly string[] {
  if (event.kind === 'judged') return renderEvidence(event.judgement, look);
  if (event.kind === 'effect-done' && event.result.kind === 'checks') return renderChecks(event.result.outcomes, look);
  if (event.kind !== 'effect-failed' && event.kind !== 'effect-retried' && event.kind !== 'candidate-lost') return [];
  const { failure } = event;
  return [
    ...hanging('  failure  ', `${clean(failure.message)} (${failure.code})`, look.width),
    ...renderLastLines(failure, '  wrote    ', look),
    ...(failure.at === undefined ? [] : hanging('  at       ', clean(failure.at), look.width)),
    ...hanging('  do       ', clean(failure.remedy), look.width),
  ];
}

/** Live numbers on one line, for pipes: what a person would look at first. */
export function liveLine(live: LiveNumbers, status: EventRecord['to'], look: Look): string {
  const { candidate, stable, outcome } = live.judgement;
  const both = `on trial ${numbers(candidate)}${stable === undefined ? '' : `; stable ${numbers(stable)}`}`;
  const gates = { pass: 'gates pass', fail: 'a gate fails', inconclusive: 'gates need more' }[outcome];
  return `${moment(live.at, look.now, look.zone)}  ${padEnd(status, statusWidth)}  ${both}; ${perSecond(live.requestsPerSecond)}; ${gates}`;
}

function numbers(evidence: ReleaseEvidence): string {
  const rate = evidence.requests === 0 ? '' : `, ${percent(errorRate(evidence))} errors, p95 ${latency(evidence.p95)}`;
  return `${count(evidence.requests)} requests${rate}`;
}
