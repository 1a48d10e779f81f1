// Numbers on the command line.

import { Failure } from '../base/failure.ts';

/** Rejects with `usage`, naming the flag, what is no whole number from `least` to `most`. */
export function wholeNumber(text: string, flag: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new Failure('usage', `${JSON.stringify(text)} is not a whole number from ${least} to ${most}`, {
    at: flag,
    remedy: `Give a number, such as \`${flag} ${Math.max(least, Math.min(most, 20))}\`.`,
  });
}
