// `gates` and `watch` of the configuration to lists of checks.

import type { CounterFeed, GateCheck, StatisticalCheck } from '../core/gate/check.ts';
import { gatePresets, type StatisticalGate } from '../core/gate/statistics/settings.ts';
import { counterSelection } from '../core/metrics/templates.ts';
import type { StrategySpec, WatchSpec } from '../core/plan/spec.ts';
import { queryChecks, watchedQueries } from './resolve-queries.ts';
import type { CompareSettings, CounterSettings } from './schema/compare.ts';
import { defaultGates, gatesSchema, type GatesSettings, type WatchSettings } from './schema/gates.ts';

/** Whether both releases have traffic at the same time at any stage, so that the new one can be compared with stable. */
export function runsSideBySide(strategy: StrategySpec, instances: number): boolean {
  if (strategy.kind === 'blue-green') return false;
  if (strategy.kind === 'canary') return strategy.stages.length > 1;
  return strategy.maxSurge + strategy.maxUnavailable < instances;
}

const defaults = {
  compared: gatesSchema.parse(defaultGates.compared),
  sideBySide: gatesSchema.parse(defaultGates.sideBySide),
  oneAtATime: gatesSchema.parse(defaultGates.oneAtATime),
};

type Gate = Exclude<
  GatesSettings['errorRate' | 'availability' | 'p50' | 'p95' | 'p99' | 'requestRate'],
  'off' | undefined
>;
type GateName = 'errorRate' | 'availability' | 'p50' | 'p95' | 'p99' | 'requestRate';

const gateNames = [
  'errorRate',
  'availability',
  'p50',
  'p95',
  'p99',
  'requestRate',
] as const satisfies readonly GateName[];

/** The checks in force: those given, and the defaults of those of which nothing is said. */
export function gateChecks(gates: GatesSettings, strategy: StrategySpec, instances: number): readonly GateCheck[] {
  const compared = statisticalCheck(gates.compare);
  const limits = gateNames.flatMap((metric) => {
    const gate = gates[metric] ?? defaults[fallbackOf(gates, strategy, instances)][metric];
    return gate === undefined || gate === 'off' ? [] : checksOf(metric, gate, gates.minSamples);
  });
  const questions = queryChecks(gates.queries, gates.minSamples);
  return [...(compared === undefined ? [] : [compared]), ...limits, ...questions];
}

function fallbackOf(gates: GatesSettings, strategy: StrategySpec, instances: number): keyof typeof defaults {
  if (!runsSideBySide(strategy, instances)) return 'oneAtATime';
  return gates.compare === 'off' ? 'sideBySide' : 'compared';
}

/** The comparison with stable; undefined where it is off. */
function statisticalCheck(compare: CompareSettings): StatisticalCheck | undefined {
  if (compare === 'off') return undefined;
  if (typeof compare === 'string') return { kind: 'statistical', preset: compare, gate: gatePresets[compare] };
  const { preset, counters, ...own } = compare;
  const { falseAborts, wrongPasses, warmUp, latencyFloor, minBadRequests, guard, margins } = own;
  const base: StatisticalGate = gatePresets[preset];
  const gate: StatisticalGate = {
    ...base,
    alpha: falseAborts ?? base.alpha,
    beta: wrongPasses ?? base.beta,
    warmUpMs: warmUp ?? base.warmUpMs,
    latencyFloorMs: latencyFloor ?? base.latencyFloorMs,
    minBadEvents: minBadRequests ?? base.minBadEvents,
    guard: guard === undefined ? base.guard : { ...base.guard, rate: guard },
    margins: margins === undefined ? base.margins : ownMargins(margins, base),
  };
  const isOwn = Object.values(own).some((value) => value !== undefined);
  return {
    kind: 'statistical',
    preset: isOwn ? `${preset}, with settings of its own` : preset,
    gate,
    ...(counters === undefined ? {} : { counters: counterFeed(counters) }),
  };
}

function counterFeed(settings: CounterSettings): CounterFeed {
  const { source, metric, errors, histogram, unit, labels, instance, interval } = settings;
  const unitMs = unit === 's' ? 1000 : 1;
  const measured = histogram === 'off' ? {} : { histogram };
  return {
    source,
    selection: counterSelection({ metric, errors, ...measured, unitMs, labels, instance }),
    intervalMs: interval,
  };
}

function ownMargins(
  rows: NonNullable<Exclude<CompareSettings, string>['margins']>,
  base: StatisticalGate,
): StatisticalGate['margins'] {
  const [first = base.margins[0], ...others] = rows.map(({ upTo, errors, p95, p99 }) => ({
    upToShare: upTo,
    errors,
    p95,
    p99,
  }));
  return [first, ...others];
}

function checksOf(metric: GateName, gate: Gate, commonMinSamples: number): readonly GateCheck[] {
  // A request rate is judged however few requests there are: few are what it is about.
  const minSamples =
    metric === 'requestRate' ? 0 : 'minSamples' in gate ? (gate.minSamples ?? commonMinSamples) : commonMinSamples;
  const checks: GateCheck[] = [];
  for (const bound of ['max', 'min'] as const) {
    const limit = (gate as { readonly max?: number | undefined; readonly min?: number | undefined })[bound];
    if (limit !== undefined) checks.push({ kind: 'absolute', metric, bound, limit, minSamples });
  }
  if (metric === 'requestRate' || !('worseThanStable' in gate) || gate.worseThanStable === undefined) return checks;
  const worse = gate.worseThanStable;
  const { unit, limit } = typeof worse === 'number' ? { unit: 'points' as const, limit: worse } : worse;
  return [...checks, { kind: 'relative', metric, unit, limit, minSamples }];
}

export function watchSpec(watch: WatchSettings, { queries, minSamples: querySamples }: GatesSettings): WatchSpec {
  const { minSamples } = watch;
  const limits = [
    { metric: 'errorRate', bound: 'max', limit: watch.errorRate },
    { metric: 'availability', bound: 'min', limit: watch.availability },
    { metric: 'p95', bound: 'max', limit: watch.p95 },
  ] as const;
  const checks = limits.flatMap(({ metric, bound, limit }): GateCheck[] =>
    limit === 'off' ? [] : [{ kind: 'absolute', metric, bound, limit, minSamples }],
  );
  return {
    forMs: watch.for,
    checks: [...checks, ...watchedQueries(queries, querySamples)],
    healthFailingMs: watch.healthFailing,
  };
}
