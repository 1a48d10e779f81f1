// The settings that a `canary-trace/1` header may give, translated to a gate of ours.

import type { StatisticalGate } from '../statistics/settings.ts';

/** The gate that traces without settings of their own were judged with. */
export const traceGate: StatisticalGate = {
  alpha: 0.01,
  beta: 0.05,
  margins: [{ upToShare: 10_000, errors: 0.005, p95: 0.02, p99: 0.01 }],
  warmUpMs: 0,
  latencyFloorMs: 0,
  minBadEvents: 3,
  guard: { rate: 0.005, memory: 0 },
  burst: { least: 1, most: 1 },
  capital: { errors: 0.45, latency: 0.35, guard: 0.2 },
  forgetMs: 600_000,
  splitAlpha: 0.001,
};

/** Applies the settings of a header; returns the names of those that are unknown or not numbers, which are left out. */
export function gateFromTrace(settings: Readonly<Record<string, unknown>>): {
  readonly gate: StatisticalGate;
  readonly ignored: string[];
} {
  const ignored: string[] = [];
  let gate = traceGate;
  for (const [name, value] of Object.entries(settings)) {
    const apply = known[name];
    if (apply === undefined || typeof value !== 'number' || !Number.isFinite(value)) ignored.push(name);
    else gate = apply(gate, value);
  }
  return { gate, ignored };
}

type Apply = (gate: StatisticalGate, value: number) => StatisticalGate;

const margin =
  (metric: 'errors' | 'p95' | 'p99'): Apply =>
  (gate, value) => ({ ...gate, margins: [{ ...gate.margins[0], [metric]: value }] });

const capital =
  (kind: 'errors' | 'latency' | 'guard'): Apply =>
  (gate, value) => ({ ...gate, capital: { ...gate.capital, [kind]: value } });

const known: Readonly<Record<string, Apply>> = {
  alpha: (gate, alpha) => ({ ...gate, alpha }),
  beta: (gate, beta) => ({ ...gate, beta }),
  w_err: capital('errors'),
  w_lat: capital('latency'),
  w_abs: capital('guard'),
  slo_err: (gate, rate) => ({ ...gate, guard: { ...gate.guard, rate } }),
  min_bad: (gate, minBadEvents) => ({ ...gate, minBadEvents }),
  forget_s: (gate, seconds) => ({ ...gate, forgetMs: seconds * 1000 }),
  warm_up_s: (gate, seconds) => ({ ...gate, warmUpMs: seconds * 1000 }),
  ni_err: margin('errors'),
  ni_lat95: margin('p95'),
  ni_lat99: margin('p99'),
};
