// What the connections of one proxy share.

import { performance } from 'node:perf_hooks';

import type { EmbeddedRouterSpec } from '../../../../core/plan/spec.ts';
import type { SampleFeed } from './sample-feed.ts';
import type { Traffic } from './traffic.ts';

export interface ProxyContext {
  readonly traffic: Traffic;
  readonly feed: SampleFeed;
  readonly limits: EmbeddedRouterSpec['limits'];
  readonly trustForwarded: boolean;
  /** The proxy is ending: connections close after the request they serve. */
  readonly closing: boolean;
  /** Milliseconds of a clock that never jumps, brought up to date by the sweep: good enough for limits, and free. */
  readonly now: number;
  /** The Date field of answers of the proxy's own. */
  readonly date: string;
  /** A request ended: somebody may wait for it. */
  flightEnded(): void;
}

/** Milliseconds of the same clock, exactly. */
export function preciseNow(): number {
  return performance.now();
}
