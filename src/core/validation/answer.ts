// What comes back from a release that was asked something, as data.

/** A whole reply, or as much of its body as may be read. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  /** Names in lower case; values of a name that comes several times are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether `body` is all of it. */
  readonly complete: boolean;
}

/** No reply at all: `nothing listens on 127.0.0.1:4000`. */
export interface NoAnswer {
  readonly kind: 'none';
  readonly reason: string;
}

/** Whether something passed, and why not or what was seen. */
export interface Judgement {
  readonly passed: boolean;
  readonly reason: string;
}
