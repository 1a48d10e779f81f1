// Measures what the controller does: counts from its event stream, and reads the present state when the metrics are asked for.

import { setTimeout as sleep } from 'node:timers/promises';
import { failureData } from '../base/failure.ts';
import type { Log } from '../base/log.ts';
import type { Judgement, ReleaseEvidence } from '../core/gate/verdict.ts';
import type { EventRecord, RecordedEvent } from '../core/rollout/record.ts';
import { isFinal } from '../core/rollout/status.ts';
import { allTraffic } from '../core/routes.ts';
import type { Scope } from '../core/scope.ts';
import type { Controller, ScopeStatus, StreamItem } from '../engine/controller.ts';
import type { Metrics } from './app.ts';
import type { Meters } from './meters.ts';

export interface TelemetryOptions {
  readonly controller: Pick<Controller, 'stream' | 'status' | 'detail'>;
  readonly log: Log;
}

export interface Telemetry {
  readonly metrics: Metrics;
  /** Counts what happens until the signal aborts; a stream that breaks is taken up again where it broke. */
  run(signal: AbortSignal): Promise<void>;
}

/** Pause before a broken stream is taken up again; milliseconds. */
const pauseMs = 1000;

/** How long the present state may take to read before the metrics are given without it; milliseconds. */
const statusMs = 5000;

/** What led to going back, by the event with which it was decided. */
const causes: Partial<Record<RecordedEvent['kind'], string>> = {
  judged: 'gate',
  'effect-failed': 'step',
  'candidate-lost': 'instances',
  'time-came': 'deadline',
  recovered: 'recovery',
  abort: 'person',
};

export function createTelemetry({ controller, log }: TelemetryOptions): Telemetry {
  let made: Promise<Meters> | undefined;
  // Loaded when they are needed: a command that carries the controller in its own process starts faster without them.
  const metersOnce = (): Promise<Meters> => (made ??= import('./meters.ts').then(({ createMeters }) => createMeters()));
  let reading: Promise<string> | undefined;
  const read = async (): Promise<string> => {
    const meters = await metersOnce();
    await readPresent(meters, controller, log);
    return meters.registry.metrics();
  };
  return {
    metrics: {
      mediaType: 'text/plain; version=0.0.4; charset=utf-8',
      // Askers at the same time share one answer.
      text: () => (reading ??= read().finally(() => (reading = undefined))),
    },
    run: async (signal) => follow(await metersOnce(), controller, log, signal),
  };
}

async function follow(
  meters: Meters,
  controller: TelemetryOptions['controller'],
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let after: number | undefined;
  const take = async (item: StreamItem): Promise<void> => {
    if (item.kind !== 'record') return;
    after = item.record.sequence;
    await count(meters, controller, item.record);
  };
  while (!signal.aborted) {
    try {
      for await (const item of controller.stream({ after }, signal)) await take(item);
    } catch (error) {
      log.write('warn', 'telemetry interrupted', { reason: failureData(error).message });
    }
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

async function count(meters: Meters, controller: TelemetryOptions['controller'], record: EventRecord): Promise<void> {
  const { event, from, to } = record;
  const labels = labelsOf(record.scope);
  if (event.kind === 'effect-retried') meters.effectRetries.inc(labels);
  if (event.kind === 'effect-done' && event.result.kind === 'checks') {
    const retries = event.result.outcomes.reduce((sum, outcome) => sum + Math.max(0, outcome.attempts - 1), 0);
    if (retries > 0) meters.checkRetries.inc(labels, retries);
  }
  if (to === 'ROLLING_BACK' && from !== to) meters.rollbacks.inc({ ...labels, cause: causes[event.kind] ?? 'other' });
  if (event.kind === 'started') await countStart(meters, controller, record);
  if (isFinal(to) && !isFinal(from)) await countEnd(meters, controller, record);
}

async function countStart(
  meters: Meters,
  controller: TelemetryOptions['controller'],
  record: EventRecord,
): Promise<void> {
  const labels = labelsOf(record.scope);
  meters.started.inc(labels);
  const { rollout } = await controller.detail(record.deployment);
  if (rollout.plan.strategy !== 'rollback') return;
  meters.rollbacks.inc({ ...labels, cause: rollout.createdBy === 'sluice' ? 'watch' : 'person' });
}

async function countEnd(
  meters: Meters,
  controller: TelemetryOptions['controller'],
  record: EventRecord,
): Promise<void> {
  const labels = labelsOf(record.scope);
  meters.completed.inc({ ...labels, status: record.to });
  const { rollout } = await controller.detail(record.deployment);
  meters.duration.observe(labels, Math.max(0, record.at - rollout.createdAt) / 1000);
  const decidedAt = rollout.wentBackAt ?? (rollout.plan.strategy === 'rollback' ? rollout.createdAt : undefined);
  if (decidedAt === undefined) return;
  if (rollout.safeAt !== undefined) meters.recovery.observe(labels, Math.max(0, rollout.safeAt - decidedAt) / 1000);
  if (rollout.badSince !== undefined)
    meters.detection.observe(labels, Math.max(0, decidedAt - rollout.badSince) / 1000);
}

/** Sets what is true now; what cannot be read in time is left out rather than told wrongly. */
async function readPresent(meters: Meters, controller: TelemetryOptions['controller'], log: Log): Promise<void> {
  const { active, share, gateOutcome, gateCheck, gateRequests, gateErrors, gateLatency } = meters;
  const given = new AbortController();
  let statuses: readonly ScopeStatus[] = [];
  try {
    const late = sleep(statusMs, undefined, { signal: given.signal }).then(() => {
      throw new Error(`no status within ${statusMs} ms`);
    });
    statuses = await Promise.race([controller.status(), late]);
  } catch (error) {
    log.write('warn', 'metrics without the present state', { reason: failureData(error).message });
  } finally {
    given.abort();
  }
  for (const meter of [active, share, gateOutcome, gateCheck, gateRequests, gateErrors, gateLatency]) meter.reset();
  for (const status of statuses) setPresent(meters, status);
}

function setPresent(meters: Meters, status: ScopeStatus): void {
  const labels = labelsOf(status.situation.scope);
  if (status.active !== undefined) meters.active.set({ ...labels, status: status.active.status }, 1);
  for (const { release, share } of status.routes?.groups ?? []) {
    meters.share.set({ ...labels, release }, share / allTraffic);
  }
  if (status.live !== undefined) setJudgement(meters, labels, status.live.judgement);
}

interface Labels {
  readonly service: string;
  readonly environment: string;
}

function setJudgement(meters: Meters, labels: Labels, judgement: Judgement): void {
  for (const outcome of ['pass', 'fail', 'inconclusive'] as const) {
    meters.gateOutcome.set({ ...labels, outcome }, judgement.outcome === outcome ? 1 : 0);
  }
  for (const { check, outcome, cause = '' } of judgement.verdicts)
    meters.gateCheck.set({ ...labels, check, outcome, cause }, 1);
  setEvidence(meters, { ...labels, role: 'candidate' }, judgement.candidate);
  if (judgement.stable !== undefined) setEvidence(meters, { ...labels, role: 'stable' }, judgement.stable);
}

function setEvidence(meters: Meters, role: Labels & { readonly role: string }, evidence: ReleaseEvidence): void {
  const labels = { ...role, release: evidence.release };
  meters.gateRequests.set(labels, evidence.requests);
  meters.gateErrors.set(labels, evidence.errors);
  const quantiles = [
    ['0.5', evidence.p50],
    ['0.95', evidence.p95],
    ['0.99', evidence.p99],
  ] as const;
  for (const [quantile, latencyMs] of quantiles) {
    if (latencyMs !== undefined) meters.gateLatency.set({ ...labels, quantile }, latencyMs / 1000);
  }
}

function labelsOf({ service, environment }: Scope): Labels {
  return { service, environment };
}
