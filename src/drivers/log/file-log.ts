// A log of JSON lines in a file that is bounded: when it is full it becomes the one older file, and a new one begins.

import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log, LogFields, LogLevel } from '../../base/log.ts';
import type { Clock } from '../../ports/clock.ts';

export interface FileLogOptions {
  readonly file: string;
  readonly clock: Clock;
  /** Entries below it are left out. */
  readonly level: LogLevel;
  /** Also called with every line that is written. */
  readonly echo?: ((line: string) => void) | undefined;
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Bytes of one file; two are kept. */
const fileBytes = 5 * 1024 * 1024;

/** Longest line, so that one large failure does not push everything else out; characters. */
const lineLength = 16 * 1024;

/** Writing is synchronous, so that the last words before an end are kept; a full disk never ends the controller. */
export function createFileLog({ file, clock, level, echo }: FileLogOptions): Log {
  const least = levels.indexOf(level);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  let bytes = sizeOf(file);
  return {
    write(entryLevel: LogLevel, message: string, fields?: LogFields): void {
      if (levels.indexOf(entryLevel) < least) return;
      const line = lineOf(clock.now(), entryLevel, message, fields);
      echo?.(line);
      try {
        if (bytes + line.length > fileBytes) {
          renameSync(file, `${file}.1`);
          bytes = 0;
        }
        appendFileSync(file, line, { mode: 0o600 });
        bytes += line.length;
      } catch (error) {
        echo?.(lineOf(clock.now(), 'error', 'the log file cannot be written', { file, error: String(error) }));
      }
    },
  };
}

function lineOf(now: number, level: LogLevel, message: string, fields: LogFields | undefined): string {
  const line = jsonText({ at: new Date(now).toISOString(), level, message, ...fields });
  return `${line.length > lineLength ? jsonText({ at: new Date(now).toISOString(), level, message, cut: line.slice(0, lineLength) }) : line}\n`;
}

// What JSON leaves as it is although terminals act on it: the log is read with `tail`, and shown by --verbose.
const unescaped = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Services have a part in what is logged: the words of a check, the reason of an end. */
function jsonText(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    unescaped,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
