// Structured log lines of the controller: a static message and fields, one JSON object per line.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFields = Readonly<Record<string, unknown>>;

/** Where log entries go; the clock that stamps them is the writer's. */
export interface Log {
  write(level: LogLevel, message: string, fields?: LogFields): void;
}

/** A log that keeps nothing. */
export const silentLog: Log = { write() {} };
