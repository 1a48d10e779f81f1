// What both sides of the wire agree on besides the routes: version, header names, media types, limits.

/** Grows when a client or server of the version before would misunderstand the other. */
export const apiVersion = 1;

/** Sent with every request and answer: the version of the contract that the sender speaks. */
export const versionHeader = 'sluice-api';

/** Requests with a longer body are refused; bytes. */
export const requestBytes = 1024 * 1024;

/** Longest answer, and longest line of a stream, that a client reads; bytes. */
export const replyBytes = 64 * 1024 * 1024;

/** A stream that has nothing to tell sends an empty line (a comment, as an event stream) this often; milliseconds. */
export const heartbeatMs = 10_000;

/** A client that hears nothing on a stream for this long takes the server for gone; milliseconds. */
export const silenceMs = 45_000;

export const mediaTypes = {
  json: 'application/json',
  lines: 'application/x-ndjson',
  events: 'text/event-stream',
} as const;

/** What `GET /health` answers, for people and supervisors; it needs no token. */
export interface Health {
  readonly status: 'ok';
  /** Version of the contract. */
  readonly api: number;
}
