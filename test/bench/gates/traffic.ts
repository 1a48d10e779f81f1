// Simulated traffic: requests of both releases per tick, with the errors and latencies that a scenario gives them at that time.

import { noCounts, type Counts } from '../../../src/core/gate/statistics/counts.ts';
import { aliasTable, binomial, draw, poisson, type AliasTable, type Random } from './random.ts';

/** Upper bounds of the simulated latency buckets, ms: 24 bounds a factor of 1.25 apart. */
export const bounds: readonly number[] = Array.from({ length: 24 }, (_, index) => 500 * 1.25 ** (index - 15));
export const buckets = bounds.length + 1;

/** How a release behaves at a moment. */
export interface Behaviour {
  readonly errorRate: number;
  /** Factor on all latencies. */
  readonly slower?: number;
  /** Fraction of requests that take 8 times as long. */
  readonly tail?: number;
  /** Errors come in bursts of this many on the same release. */
  readonly burst?: number;
  /** Pods; each stops for a second once a minute, and the requests on it wait. */
  readonly pausingPods?: number;
}

export interface Scenario {
  readonly name: string;
  /** Requests per second, and the candidate's share of them at `at` seconds. */
  readonly rate: number;
  readonly share: (at: number) => number;
  readonly candidate: (at: number) => Behaviour;
  readonly stable: (at: number) => Behaviour;
}

/** The counts of one tick; reused from tick to tick. */
export interface Tick {
  /** Seconds since the trial began, at the end of the tick, and its length. */
  at: number;
  seconds: number;
  share: number;
  readonly candidate: Counts;
  readonly stable: Counts;
}

export function emptyTick(): Tick {
  return { at: 0, seconds: 0, share: 0, candidate: noCounts(buckets), stable: noCounts(buckets) };
}

const tables = new Map<string, AliasTable>();

/** The distribution of a success's latency over the buckets: lognormal, median 100 ms, sigma 0.6; a tail is the same 8 times slower. */
export function latencyProbabilities({ slower = 1, tail = 0 }: Behaviour): number[] {
  const upTo = bounds.map((bound) => (1 - tail) * below(bound, slower) + tail * below(bound, 8 * slower));
  return [...upTo, 1].map((mass, index) => Math.max(0, mass - (upTo[index - 1] ?? 0)));
}

function latencyTable(behaviour: Behaviour): AliasTable {
  // rounded, so that slow drifts do not make a table for every tick
  const slower = Number((behaviour.slower ?? 1).toFixed(3));
  const key = `${slower} ${behaviour.tail ?? 0}`;
  const known = tables.get(key);
  if (known !== undefined) return known;
  const table = aliasTable(latencyProbabilities({ ...behaviour, slower }));
  tables.set(key, table);
  return table;
}

const below = (latencyMs: number, slower: number): number => normalCdf(Math.log(latencyMs / (100 * slower)) / 0.6);

/** The normal distribution function by its Taylor series, to 1e-12. */
function normalCdf(z: number): number {
  if (z < -8) return 0;
  if (z > 8) return 1;
  let term = z;
  let total = z;
  for (let index = 3; Math.abs(term) > 1e-16 && index < 400; index += 2) {
    term *= (z * z) / index;
    total += term;
  }
  return 0.5 + total * Math.exp(-0.5 * z * z) * 0.398_942_280_401_432_7;
}

/** Seconds into each minute at which the pods of a run stop. */
export interface Run {
  readonly random: Random;
  readonly pauses: readonly number[];
}

export function startRun(random: Random): Run {
  return { random, pauses: Array.from({ length: 10 }, () => random() * 59) };
}

/** Fills a tick that ends at `at`. */
export function simulateTick(run: Run, scenario: Scenario, tick: Tick, at: number, seconds: number): void {
  tick.at = at;
  tick.seconds = seconds;
  tick.share = scenario.share(at);
  const total = poisson(run.random, scenario.rate * seconds);
  const candidates = binomial(run.random, total, tick.share);
  fill(run, tick.candidate, candidates, { behaviour: scenario.candidate(at), at, seconds, firstPod: 0 });
  fill(run, tick.stable, total - candidates, { behaviour: scenario.stable(at), at, seconds, firstPod: 1 });
}

/** Fills the counts of one release with exactly `requests` requests. */
export function fill(
  run: Run,
  counts: Counts,
  requests: number,
  now: { readonly behaviour: Behaviour; readonly at: number; readonly seconds: number; readonly firstPod: number },
): void {
  const { behaviour } = now;
  const burst = behaviour.burst ?? 1;
  const errors = binomial(run.random, requests, behaviour.errorRate / burst) * burst;
  // what fails is tried again by the same client: a burst brings requests of its own
  counts.errors = errors;
  counts.requests = requests + errors - errors / burst;
  counts.latency.fill(0);
  const paused = pausedFraction(run, now);
  const table = latencyTable(behaviour);
  for (let index = counts.requests - errors; index > 0; index -= 1) {
    const waits = paused > 0 && run.random() < paused ? 1000 * run.random() : 0;
    const bucket = draw(run.random, table);
    const slower = waits > 0 ? bounds.findIndex((bound) => bound >= waits + (bounds[bucket] ?? 3000)) : bucket;
    const into = slower === -1 ? buckets - 1 : slower;
    counts.latency[into] = (counts.latency[into] ?? 0) + 1;
  }
}

/** The part of a release's requests that fall on a pod that has stopped. */
function pausedFraction(
  { pauses }: Run,
  now: { readonly behaviour: Behaviour; readonly at: number; readonly seconds: number; readonly firstPod: number },
): number {
  const pods = now.behaviour.pausingPods ?? 0;
  let stopped = 0;
  for (let pod = now.firstPod; pod < now.firstPod + pods; pod += 1) {
    const end = ((now.at % 60) + 60) % 60;
    const begin = pauses[pod] ?? 0;
    stopped += Math.max(0, Math.min(end, begin + 1) - Math.max(end - now.seconds, begin)) / now.seconds;
  }
  return pods === 0 ? 0 : stopped / pods;
}
