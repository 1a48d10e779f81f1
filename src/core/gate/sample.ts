// A sample: one finished request as the router saw it. Gates judge nothing else about a request.

import type { ReleaseId } from '../release.ts';

export interface Sample {
  /** Epoch milliseconds when the request ended or passed its deadline. */
  readonly at: number;
  readonly release: ReleaseId;
  readonly instance: string;
  /** HTTP status sent to the client; 499: the client went away first; 502/503/504 also stand for errors of the router's own. */
  readonly status: number;
  /** Milliseconds from the end of the request's head to the answer's last byte; for an upgraded connection to its switch. */
  readonly latencyMs: number;
  /** What sent it here: the share, a rule, a cookie that keeps visitors, or the preview address. */
  readonly via: 'share' | 'rule' | 'sticky' | 'preview';
  /** Whether the answer came from the instance, or the router had to answer for it. */
  readonly origin: 'instance' | 'router';
}

/** Samples in the order they ended, with the number that were lost since the last batch because nobody read fast enough. */
export interface SampleBatch {
  readonly samples: readonly Sample[];
  readonly lost: number;
}

/** Whether a request counts against its release: a server error. A client that went away (499) is not the release's fault. */
export function isError(sample: Sample): boolean {
  return sample.status >= 500;
}
