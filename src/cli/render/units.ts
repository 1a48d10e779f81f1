// Numbers and times as people read them.

import { formatDuration } from '../../base/duration.ts';

/** `1,204`. */
export function count(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 instance`, `2 instances`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `0.08 %` for the fraction 0.0008; what is not nothing never reads as nothing. */
export function percent(fraction: number): string {
  const value = fraction * 100;
  if (value > 0 && value < 0.01) return '<0.01 %';
  return `${Number(value.toFixed(value < 10 ? 2 : 1))} %`;
}

/** `41 ms`, `1.25 s`; `-` where there is none. */
export function latency(durationMs: number | undefined): string {
  if (durationMs === undefined) return '-';
  if (durationMs < 10) return `${Number(durationMs.toFixed(1))} ms`;
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  return `${Number((durationMs / 1000).toFixed(2))} s`;
}

/** `34/s`, `0.4/s`. */
export function perSecond(rate: number): string {
  return `${rate < 10 ? Number(rate.toFixed(1)) : count(rate)}/s`;
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function bytes(value: number): string {
  let rest = value;
  let unit = 0;
  while (rest >= 1024 && unit < byteUnits.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${rest < 10 && unit > 0 ? rest.toFixed(1) : Math.round(rest)} ${byteUnits[unit] ?? ''}`;
}

/** A duration with whole seconds once it lasts a second, and at most two units: `250ms`, `42s`, `3m5s`, `2h3m`, `4d1h`. */
export function lasted(durationMs: number): string {
  const whole = Math.max(0, durationMs);
  for (const [below, unitMs] of precision)
    if (whole < below) return formatDuration(Math.floor(whole / unitMs) * unitMs);
  return formatDuration(Math.floor(whole / 3_600_000) * 3_600_000);
}

/** What is left of a time, in whole seconds, so that a countdown does not flicker. */
export function left(durationMs: number): string {
  return lasted(Math.max(0, Math.ceil(durationMs / 1000) * 1000));
}

/** Below a duration, how exactly it is told. */
const precision: readonly (readonly [number, number])[] = [
  [1000, 1],
  [10_000, 100],
  [3_600_000, 1000],
  [86_400_000, 60_000],
];

/** Minutes that local time is ahead of UTC at a moment. */
export type Zone = (at: number) => number;

/** `2026-11-21 12:04:10` in the zone. */
export function stamp(at: number, zone: Zone): string {
  const date = new Date(at + zone(at) * 60_000);
  if (Number.isNaN(date.getTime())) return 'unknown time';
  const text = date.toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}`;
}

/** `12:04:10` in the zone; with the date where that is another day than `now`. */
export function moment(at: number, now: number, zone: Zone): string {
  const text = stamp(at, zone);
  return text.slice(0, 10) === stamp(now, zone).slice(0, 10) ? text.slice(11) : text;
}

/** `UTC+01:00`. */
export function zoneName(at: number, zone: Zone): string {
  const minutes = zone(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `UTC${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}
