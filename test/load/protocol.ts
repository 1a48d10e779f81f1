// What the load generator and the service under load agree on.

export const headers = {
  /** On every answer: the version that gave it. */
  release: 'x-release',
  instance: 'x-instance',
  /** On answers that are errors because the release was made so. */
  deliberate: 'x-deliberate',
  /** On every request of the load; health checks and validations do not have it. */
  load: 'x-load',
  /** On answers that came by a router that can say it: when the router answered, and how long after the request came to it; epoch seconds and seconds. */
  routed: 'x-routed',
} as const;

/** `version.json` of a release. */
export interface ReleaseFile {
  readonly version: string;
  /** Share of plain answers that are errors, 0 to 1. */
  readonly errors: number;
}

/** What an instance answers at `/started`; epoch milliseconds. */
export interface StartTimes {
  /** When its process began. */
  readonly began: number;
  /** When it could serve. */
  readonly listening: number;
}

/** What an instance writes when it is told to end. */
export interface InstanceRecord {
  readonly instance: string;
  readonly version: string;
  /** Epoch milliseconds. */
  readonly arrivals: readonly number[];
}

const padding = '.'.repeat(160);

export function answerBody(version: string, id: string): string {
  return `${version} ${id} ${padding}`;
}
