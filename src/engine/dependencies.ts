// What the engine is given: ports, and the facts about its own process.

import type { Log } from '../base/log.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import type { MetricSource } from '../core/metrics/source.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Platform } from '../ports/platform.ts';
import type { Prober } from '../ports/prober.ts';
import type { Releases } from '../ports/releases.ts';
import type { Router } from '../ports/router.ts';
import type { Holder, Store } from '../ports/store.ts';

/** The drivers that a specification names. */
export interface Drivers {
  readonly platform: Platform;
  readonly router: Router;
}

export interface Dependencies {
  readonly store: Store;
  /** Drivers for a specification; the same ones for the same settings. */
  readonly drivers: (spec: DeploySpec) => Drivers;
  readonly releases: Releases;
  readonly prober: Prober;
  /** The driver of a metric source; the same one for the same settings. */
  readonly metrics: (source: MetricSource) => Metrics;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** This controller, as it signs its leases. */
  readonly holder: Holder;
  /** Whether the holder of a lease is known not to run any more. `false` where that cannot be told from here. */
  readonly isDead: (holder: Holder) => Promise<boolean>;
  readonly timing: EngineTiming;
}

/** All in milliseconds. */
export interface EngineTiming {
  /** How long a lease holds without being renewed. */
  readonly leaseMs: number;
  /** First and longest pause between two tries of an effect. */
  readonly retryFirstMs: number;
  readonly retryLongestMs: number;
  /** How long an effect that is not bounded otherwise is tried on the way forward. */
  readonly effectMs: number;
  /** How often the evidence of a hold is judged, besides after each error of the candidate. */
  readonly judgeMs: number;
  /** How often the evidence of the statistical gate is written down. */
  readonly checkpointMs: number;
  /** How often live numbers are told. */
  readonly liveMs: number;
  /** How often instances and routes are looked at. */
  readonly superviseMs: number;
}

export const defaultTiming: EngineTiming = {
  leaseMs: 10_000,
  retryFirstMs: 100,
  retryLongestMs: 5_000,
  effectMs: 30_000,
  judgeMs: 250,
  checkpointMs: 1_000,
  liveMs: 1_000,
  superviseMs: 1_000,
};
