// The one kind of error that Sluice shows to people: what is wrong, where, and what to do about it.

import { type FailureCode, failureCatalogue } from './failure-catalogue.ts';

export interface FailureOptions {
  /** The place: a config path, a file, an address, a flag. */
  readonly at?: string | undefined;
  /** What the person should do: a command or a setting, as a sentence. */
  readonly remedy: string;
  readonly cause?: unknown;
  /** Facts for machines, printed under `--json`; never secrets. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** The form in which a failure crosses the wire and lies in the store. */
export interface FailureData {
  readonly code: FailureCode;
  readonly message: string;
  readonly remedy: string;
  readonly at?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Thrown for everything that a person or a retry can do something about; any other error is a defect of Sluice. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly remedy: string;
  readonly at: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: FailureCode, message: string, options: FailureOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.at = options.at;
    this.details = options.details;
  }

  toJSON(): FailureData {
    return {
      code: this.code,
      message: this.message,
      remedy: this.remedy,
      ...(this.at === undefined ? {} : { at: this.at }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}

/** Rebuilds a failure that crossed the wire or lay in the store. */
export function failureFrom(data: FailureData): Failure {
  return new Failure(data.code, data.message, { remedy: data.remedy, at: data.at, details: data.details });
}

/** Turns anything thrown into failure data; an unknown error becomes `internal` with its message, never its stack. */
export function failureData(thrown: unknown): FailureData {
  if (thrown instanceof Failure) return thrown.toJSON();
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'internal', message, remedy: failureCatalogue.internal.remedy };
}
