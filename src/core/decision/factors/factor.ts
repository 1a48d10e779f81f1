// A factor: one of the six things that the confidence in a release is made of.

export const factorNames = ['safety', 'health', 'blastRadius', 'history', 'complexity', 'coverage'] as const;

export type FactorName = (typeof factorNames)[number];

/** What a factor comes to before it is weighed. */
export interface Assessed {
  /** 0 to 100. */
  readonly value: number;
  /** What it stands on: one sentence with the numbers. */
  readonly reason: string;
}

/** What counts for something that nobody told: it neither speaks for the release nor clearly against it, so a person is asked sooner. */
export function unknown(reason: string): Assessed {
  return { value: 50, reason: `${reason}; counts as 50` };
}

export function assessed(value: number, reason: string): Assessed {
  return { value: Math.round(Math.min(100, Math.max(0, value)) * 10) / 10, reason };
}

/** `1 file`, `12 files`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `87 %`. */
export function percent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(1))} %`;
}
