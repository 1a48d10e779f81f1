// Brings instances of a release up and waits until every one of them is healthy.

import { formatDuration } from '../base/duration.ts';
import { Failure } from '../base/failure.ts';
import { addressName, type Instance } from '../core/instance.ts';
import { askedOf } from '../core/plan/plan.ts';
import type { HealthSpec } from '../core/plan/spec.ts';
import type { Release } from '../core/release.ts';
import type { EffectAction } from '../core/rollout/effect.ts';
import type { Endpoint } from '../core/routes.ts';
import type { Scope } from '../core/scope.ts';
import type { HttpCheck, TcpCheck, ValidationCheck } from '../core/validation/check.ts';
import type { Clock } from '../ports/clock.ts';
import type { Platform } from '../ports/platform.ts';
import { tried, type Performance } from './performance.ts';

type EnsureAction = Extract<EffectAction, { kind: 'ensure' }>;

/** Rejects with `instance.crashed` (with its last words) as soon as one ends by itself, with `instance.unhealthy` after `timeoutMs`. */
export async function ensureHealthy(
  work: Performance,
  release: Release,
  action: EnsureAction,
): Promise<readonly Endpoint[]> {
  const { clock } = work.deps;
  const { health } = askedOf(work.plan, action.role);
  const until = clock.now() + action.timeoutMs;
  const group = { scope: work.plan.scope, release, deployment: work.deployment, instances: action.instances };
  let instances = await tried(work, action.timeoutMs, () => work.drivers.platform.ensure(group, work.signal));
  const inARow = new Map<string, number>();
  for (;;) {
    const reasons = await askAll(work, health, instances, inARow);
    if (reasons.length === 0) return instances.map(endpointOf);
    if (clock.now() >= until) throw unhealthy(release, reasons, action.timeoutMs);
    await clock.sleep(Math.min(health.intervalMs, until - clock.now()), work.signal);
    work.signal.throwIfAborted();
    instances = await stillRunning(work, group, action.role);
  }
}

/** The group's instances as they are now. A candidate that ended is a verdict; stable, on the way back, is simply started again. */
async function stillRunning(
  work: Performance,
  group: Parameters<Platform['ensure']>[0],
  role: EnsureAction['role'],
): Promise<readonly Instance[]> {
  const { platform } = work.drivers;
  const listed = await tried(work, work.deps.timing.effectMs, () => platform.list(group.scope));
  const instances = listed.filter((instance) => instance.release === group.release.id);
  const ended = instances.find((instance) => instance.state === 'exited');
  if (ended === undefined && instances.length >= group.instances) return instances;
  if (role === 'candidate' && ended !== undefined) throw await crashed(work.deps.clock, platform, group.scope, ended);
  return tried(work, work.deps.timing.effectMs, () => platform.ensure(group, work.signal));
}

/** Asks every instance once; the reasons of those that are not healthy yet. */
async function askAll(
  work: Performance,
  health: HealthSpec,
  instances: readonly Instance[],
  inARow: Map<string, number>,
): Promise<readonly string[]> {
  const outcomes = await Promise.all(
    instances.map(async (instance) => {
      const outcome = await work.deps.prober.probe(
        healthCheck(health, instance),
        { address: instance.address, tls: false },
        work.signal,
      );
      const passes = outcome.passed ? (inARow.get(instance.id) ?? 0) + 1 : 0;
      inARow.set(instance.id, passes);
      if (passes < health.successes)
        return `${instance.id} at ${addressName(instance.address)}${health.path ?? ''}: ${outcome.reason}`;
      const own = whyUnwell(instance);
      return own === undefined ? undefined : `${instance.id}: ${own}`;
    }),
  );
  return outcomes.filter((reason) => reason !== undefined);
}

/** What the platform's own look at the instance says against it; undefined: nothing, or it takes none. */
export function whyUnwell({ ownHealth }: Instance): string | undefined {
  if (ownHealth === undefined || ownHealth.state === 'healthy') return undefined;
  const state = ownHealth.state === 'starting' ? 'has not passed yet' : 'fails';
  return `its own health check ${state}${ownHealth.words === '' ? '' : ` (${ownHealth.words})`}`;
}

/** The health of one instance as a check: its path answers 2xx, or its port accepts connections. */
export function healthCheck(health: HealthSpec, instance: Pick<Instance, 'address'>): ValidationCheck {
  const limits = { withinMs: health.withinMs, attempts: 1, pauseMs: 0 };
  const tcp: TcpCheck = { ...limits, kind: 'tcp', host: instance.address.host, port: instance.address.port };
  if (health.path === undefined) return tcp;
  const http: HttpCheck = {
    ...limits,
    kind: 'http',
    url: health.path,
    method: 'GET',
    headers: {},
    status: [{ from: 200, to: 299 }],
    expectHeaders: {},
    expectJson: {},
    concurrency: 1,
  };
  return http;
}

export function endpointOf(instance: Instance): Endpoint {
  return { instance: instance.id, address: instance.address };
}

function unhealthy(release: Release, reasons: readonly string[], timeoutMs: number): Failure {
  return new Failure(
    'instance.unhealthy',
    `${release.id} is not healthy after ${formatDuration(timeoutMs)}: ${reasons.join('; ')}`,
    {
      at: 'health',
      remedy:
        'Check `health.path`, and what the instance wrote with `sluice logs`; raise `health.timeout` if it needs longer to start.',
    },
  );
}

/** The failure for an instance that ended by itself, with the last lines that it wrote in its details. */
export async function crashed(clock: Clock, platform: Platform, scope: Scope, instance: Instance): Promise<Failure> {
  const lines = await lastLines(clock, platform, scope, instance);
  const words = `${instance.id} of ${instance.release} ended by itself (${instance.exit ?? 'not known why'})`;
  return new Failure('instance.crashed', lines.length === 0 ? `${words} and wrote nothing` : words, {
    at: instance.id,
    remedy: `Read more with \`sluice logs --instance ${instance.id}\`.`,
    details: { instance: instance.id, exit: instance.exit ?? null, lastLines: lines },
  });
}

const lastLinesShown = 10;
/** The way back waits for them. */
const lastLinesWithinMs = 2_000;

async function lastLines(
  clock: Clock,
  platform: Platform,
  scope: Scope,
  instance: Instance,
): Promise<readonly string[]> {
  const texts: string[] = [];
  const over = new AbortController();
  const query = { scope, instance: instance.id, lastLines: lastLinesShown, follow: false };
  const read = async (): Promise<void> => {
    for await (const line of platform.logs(query, over.signal)) texts.push(line.text.slice(0, 500));
  };
  try {
    await Promise.race([read(), clock.sleep(lastLinesWithinMs, over.signal)]);
  } catch (error) {
    texts.push(`(its log cannot be read: ${error instanceof Error ? error.message : String(error)})`);
  } finally {
    over.abort();
  }
  return texts.slice(-lastLinesShown);
}
