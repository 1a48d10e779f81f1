// The settings of `gates.compare` as options of a command: a preset, and what is changed in it, under the names of the configuration.

import type { Command } from 'commander';
import { parseDuration } from '../base/duration.ts';
import { Failure } from '../base/failure.ts';
import { parsePercentage } from '../config/units.ts';
import { gatePresets, type StageMargins, type StatisticalGate } from '../core/gate/statistics/settings.ts';
import { specification } from './configuration.ts';
import { wholeNumber } from './numbers.ts';
import type { Session } from './session.ts';

export interface GateOptions {
  readonly preset?: string;
  readonly configured?: boolean;
  readonly falseAborts?: string;
  readonly wrongPasses?: string;
  readonly warmUp?: string;
  readonly latencyFloor?: string;
  readonly minBadRequests?: string;
  readonly marginErrors?: string;
  readonly marginP95?: string;
  readonly marginP99?: string;
  readonly guard?: string;
}

const presetNames = Object.keys(gatePresets) as (keyof typeof gatePresets)[];

export function addGateOptions(command: Command): Command {
  return command
    .option('--preset <name>', presetNames.join(', '))
    .option('--configured', '`gates.compare` of the configuration, for the environment of --env')
    .option('--false-aborts <percentage>', 'chance that a candidate no worse than stable is ever aborted, such as 1%')
    .option('--wrong-passes <percentage>', 'chance that one worse by the margins passes a stage, such as 5%')
    .option('--warm-up <duration>', 'latency of the candidate’s first seconds that does not count, such as 60s')
    .option('--latency-floor <duration>', 'requests that take at most this long are all as quick, such as 10ms')
    .option('--min-bad-requests <number>', 'failed requests below which errors alone cannot abort')
    .option('--margin-errors <percentage>', 'points by which the candidate’s error rate may be worse, such as 0.5%')
    .option('--margin-p95 <percentage>', 'requests beyond stable’s p95 that are allowed on top of 5 %')
    .option('--margin-p99 <percentage>', 'the same beyond p99, on top of 1 %')
    .option('--guard <percentage>', 'error rate that the guard holds against the candidate alone');
}

/**
 * The gate that the options come to, the configured one or a preset with what is changed in it; undefined where none was given.
 * Rejects with `usage`, naming the option.
 */
export async function chosenGate(session: Session, options: GateOptions): Promise<StatisticalGate | undefined> {
  const { preset, falseAborts, wrongPasses, warmUp, latencyFloor, minBadRequests, guard } = options;
  const margins = changedMargins(options);
  const given = [
    preset,
    falseAborts,
    wrongPasses,
    warmUp,
    latencyFloor,
    minBadRequests,
    guard,
    ...Object.values(margins),
  ];
  if (options.configured !== true && given.every((value) => value === undefined)) return undefined;
  const base =
    options.configured === true ? await configuredGate(session, preset) : gatePresets[presetNamed(preset ?? 'default')];
  const [first, ...others] = base.margins;
  return {
    ...base,
    ...(falseAborts !== undefined && { alpha: fraction(falseAborts, '--false-aborts') }),
    ...(wrongPasses !== undefined && { beta: fraction(wrongPasses, '--wrong-passes') }),
    ...(warmUp !== undefined && { warmUpMs: durationMs(warmUp, '--warm-up') }),
    ...(latencyFloor !== undefined && { latencyFloorMs: durationMs(latencyFloor, '--latency-floor') }),
    ...(minBadRequests !== undefined && { minBadEvents: wholeNumber(minBadRequests, '--min-bad-requests', 0, 1000) }),
    ...(guard !== undefined && { guard: { ...base.guard, rate: fraction(guard, '--guard') } }),
    margins: [{ ...first, ...margins }, ...others.map((row) => ({ ...row, ...margins }))],
  };
}

/** Rejects where the configuration has no comparison with stable. */
async function configuredGate(session: Session, preset: string | undefined): Promise<StatisticalGate> {
  if (preset !== undefined) {
    throw new Failure('usage', 'the gate is either a preset or the configured one', {
      at: '--configured, --preset',
      remedy: 'Leave out one of them.',
    });
  }
  const { gates, scope } = await specification(session);
  const check = gates.find((gate) => gate.kind === 'statistical');
  if (check !== undefined) return check.gate;
  throw new Failure('usage', `${scope.environment} does not compare releases: \`gates.compare\` is off`, {
    at: '--configured',
    remedy: 'Name a preset, such as `--preset default`.',
  });
}

function changedMargins({ marginErrors, marginP95, marginP99 }: GateOptions): Partial<StageMargins> {
  return {
    ...(marginErrors !== undefined && { errors: fraction(marginErrors, '--margin-errors') }),
    ...(marginP95 !== undefined && { p95: fraction(marginP95, '--margin-p95') }),
    ...(marginP99 !== undefined && { p99: fraction(marginP99, '--margin-p99') }),
  };
}

function presetNamed(name: string): keyof typeof gatePresets {
  const found = presetNames.find((preset) => preset === name);
  if (found !== undefined) return found;
  throw new Failure('usage', `${JSON.stringify(name)} is no preset`, {
    at: '--preset',
    remedy: `Choose one of ${presetNames.join(', ')}.`,
  });
}

/** A chance or a rate: above 0 % and at most 50 %. */
function fraction(text: string, flag: string): number {
  const value = parsePercentage(text);
  if (value !== undefined && value > 0 && value <= 0.5) return value;
  throw new Failure('usage', `${JSON.stringify(text)} is not a percentage above 0% and up to 50%`, {
    at: flag,
    remedy: `Write it with its sign, such as \`${flag} 1%\`.`,
  });
}

function durationMs(text: string, flag: string): number {
  const value = text.length > 40 ? undefined : parseDuration(text);
  if (value !== undefined && value <= 86_400_000) return value;
  throw new Failure('usage', `${JSON.stringify(text)} is not a duration up to a day`, {
    at: flag,
    remedy: `Write it with its unit, such as \`${flag} 60s\`.`,
  });
}

/** Basis points of a share of traffic, above 0 and below all of it. */
export function shareOf(text: string, flag: string): number {
  const points = Math.round((parsePercentage(text) ?? Number.NaN) * 10_000);
  if (points >= 1 && points <= 9999) return points;
  throw new Failure('usage', `${JSON.stringify(text)} is not a share between 0.01% and 99.99%`, {
    at: flag,
    remedy: `Write it with its sign, such as \`${flag} 10%\`.`,
  });
}

/** An error rate from 0% to 100%. */
export function errorRateOf(text: string, flag: string): number {
  const value = parsePercentage(text.trim());
  if (value !== undefined && value <= 1) return value;
  throw new Failure('usage', `${JSON.stringify(text)} is not an error rate between 0% and 100%`, {
    at: flag,
    remedy: `Write it with its sign, such as \`${flag} 1%\`.`,
  });
}
