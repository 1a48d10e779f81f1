// The scenarios of the benchmark: healthy candidates, healthy candidates under stress, and candidates that are worse.

import type { Behaviour, Scenario } from './traffic.ts';

const usual: Behaviour = { errorRate: 0.001 };
const always =
  <T>(value: T) =>
  (): T =>
    value;

/** Both releases behave alike. */
function alike(name: string, rate: number, share: number, behaviour: (at: number) => Behaviour): Scenario {
  return { name, rate, share: always(share), candidate: behaviour, stable: behaviour };
}

/** The candidate behaves otherwise than stable, which is as usual. */
export function worse(name: string, rate: number, share: number, candidate: (at: number) => Behaviour): Scenario {
  return { name, rate, share: always(share), candidate, stable: always(usual) };
}

const percent = (share: number): string => `${share * 100} %`;

/** Healthy candidates at steady rates and weights. */
export const healthy: readonly Scenario[] = [1, 10, 100, 1000].flatMap((rate) =>
  [0.01, 0.1, 0.5].map((share) => alike(`${rate}/s at ${percent(share)}`, rate, share, always(usual))),
);

const inOutage = (at: number): boolean => at > 0 && at % 600 >= 300 && at % 600 < 330;

export interface StressCase {
  readonly scenario: Scenario;
  /** Seconds of warm-up that the gate is set to in this case. */
  readonly warmUp: number;
}

const stressed = (scenario: Scenario, warmUp = 0): StressCase => ({ scenario, warmUp });

/** Healthy candidates where simple rules go wrong. */
export const stress: readonly StressCase[] = [
  stressed(
    alike('error wave of both, 0.1 to 0.5 %', 100, 0.1, (at) => ({ errorRate: 0.003 - 0.002 * Math.cos(at / 190) })),
  ),
  stressed(alike('outage of both, 30 % for 30 s', 100, 0.1, (at) => ({ errorRate: inOutage(at) ? 0.3 : 0.001 }))),
  stressed(
    alike('partial outage of both, 5 % for 30 s', 100, 0.1, (at) => ({ errorRate: inOutage(at) ? 0.05 : 0.001 })),
  ),
  stressed({
    ...alike('ramp 1 to 50 % while errors rise to 1 %', 100, 0, (at) => ({
      errorRate: 0.001 + 0.009 * Math.min(Math.max(at, 0) / 600, 1),
    })),
    share: (at) => 0.01 + 0.49 * Math.min(Math.max(at, 0) / 600, 1),
  }),
  stressed(
    worse('cold start, 2 times slower for 60 s', 100, 0.1, (at) => (at <= 60 ? { ...usual, slower: 2 } : usual)),
    60,
  ),
  stressed(alike('errors in bursts of 4, 100/s', 100, 0.1, always({ ...usual, burst: 4 }))),
  stressed(alike('errors in bursts of 4, 1000/s', 1000, 0.1, always({ ...usual, burst: 4 }))),
  stressed({
    ...alike('pods pause 1 s a minute, 100/s', 100, 0.1, always({ ...usual, pausingPods: 9 })),
    candidate: always({ ...usual, pausingPods: 1 }),
  }),
  stressed({
    ...alike('pods pause 1 s a minute, 1000/s', 1000, 0.1, always({ ...usual, pausingPods: 9 })),
    candidate: always({ ...usual, pausingPods: 1 }),
  }),
  stressed(alike('2 % errors of both', 100, 0.1, always({ errorRate: 0.02 }))),
];

/** A little worse, and harmless: not healthy in the sense of the guarantee, yet nobody wants it aborted. */
export const harmless: readonly Scenario[] = [
  worse('3 % slower, 0.12 % errors, 100/s at 10 %', 100, 0.1, always({ errorRate: 0.0012, slower: 1.03 })),
];

export const errorRates: readonly number[] = [1, 0.2, 0.05, 0.02, 0.01, 0.005];

/** Candidates that are worse, at 100 requests a second and 10 %. */
export const defects: readonly Scenario[] = [
  ...errorRates.map((errorRate) => worse(`${percent(errorRate)} errors`, 100, 0.1, always({ errorRate }))),
  ...[1.1, 1.3, 2, 3].map((slower) => worse(`${slower} times slower`, 100, 0.1, always({ ...usual, slower }))),
  worse('1.5 % of requests 8 times slower', 100, 0.1, always({ ...usual, tail: 0.015 })),
  worse('leak: +3.3 % latency a minute', 100, 0.1, (at) => ({
    errorRate: at > 1200 ? 0.02 : 0.001,
    slower: 1 + (0.033 * Math.max(at, 0)) / 60,
  })),
];
