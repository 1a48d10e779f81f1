// The proxy's log: one JSON object per line, in a file of bounded size and one before it.

import { appendFileSync, renameSync, statSync } from 'node:fs';

const fileBytesMax = 1024 * 1024;

export type WriteLog = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Lines are rare and short, so they are written at once. A log that cannot be written stops nothing. */
export function openLog(path: string): WriteLog {
  return (message, fields = {}) => {
    try {
      turnOver(path);
      appendFileSync(path, `${JSON.stringify({ at: new Date().toISOString(), message, ...fields })}\n`, {
        mode: 0o600,
      });
    } catch {
      // A full disk must not end traffic; there is nowhere to say so.
    }
  };
}

/** Moves a file that is full out of the way of the next line. */
export function turnOver(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > fileBytesMax) renameSync(path, `${path}.1`);
}
