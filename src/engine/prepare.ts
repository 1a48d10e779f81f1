// Makes plans: identifies the release, looks at what is there, and compiles both.

import { Failure } from '../base/failure.ts';
import type { Instance } from '../core/instance.ts';
import { compilePlan } from '../core/plan/compile.ts';
import { planDigest } from '../core/plan/digest.ts';
import type { Observed, Plan } from '../core/plan/plan.ts';
import type { DeploySpec, PlatformSpec, RouterSpec } from '../core/plan/spec.ts';
import { releaseId } from '../core/release-id.ts';
import type { Release, ReleaseId } from '../core/release.ts';
import { lastGood, type Placement, type Situation } from '../core/rollout/situation.ts';
import { scopeName, type Scope } from '../core/scope.ts';
import type { Endpoint } from '../core/routes.ts';
import type { DeployRequest, PlanAnswer, RollbackRequest } from './controller.ts';
import { confidenceFacts } from './confidence-facts.ts';
import type { Dependencies, Drivers } from './dependencies.ts';
import { askFirst } from './check-queries.ts';
import { endpointOf } from './ensure-healthy.ts';

/** A plan, and the running instances that it starts from. */
export interface Prepared {
  readonly plan: Plan;
  readonly drivers: Drivers;
  readonly stable: readonly Endpoint[];
  readonly candidate: readonly Endpoint[];
}

export function planAnswer(plan: Plan): PlanAnswer {
  return { plan, digest: planDigest(plan) };
}

/** Changes nothing. Rejects with what is wrong with the request, the release or the router. */
export async function prepareDeploy(
  deps: Dependencies,
  request: DeployRequest,
  situation: Situation,
): Promise<Prepared> {
  const { spec } = request;
  const artifact = await deps.releases.identify(spec.source);
  const { service } = spec.scope;
  const candidate: Release = {
    id: releaseId(service, artifact, spec.run),
    service,
    artifact,
    run: spec.run,
    ...(request.label === undefined ? {} : { label: request.label }),
  };
  const confidence = spec.confidence && (await confidenceFacts(deps.store, spec.scope, request.facts));
  const prepared = await prepare(deps, spec, situation, { candidate, purpose: 'deploy', confidence });
  // A rollback waits for no metric source.
  await askFirst(deps, prepared.plan);
  return prepared;
}

/** As `prepareDeploy`, for an earlier release; rejects with `rollback.nothing`, `release.unknown` or `release.gone`. */
export async function prepareRollback(
  deps: Dependencies,
  request: RollbackRequest,
  situation: Situation,
): Promise<Prepared> {
  const { stable } = situation;
  if (stable === undefined)
    throw situation.removal === undefined ? nothingToGoBackTo(request.scope) : takenAway(request.scope);
  const target = await findTarget(deps, request, situation);
  // How the release was run belongs to the release; where it is reached is as things stand now.
  const spec: DeploySpec = {
    ...target.spec,
    platform: stable.spec.platform,
    router: stable.spec.router,
    instances: stable.spec.instances,
    minAvailable: stable.spec.minAvailable,
  };
  return prepare(deps, spec, situation, { candidate: target.release, purpose: 'rollback' });
}

async function prepare(
  deps: Dependencies,
  spec: DeploySpec,
  situation: Situation,
  wanted: Pick<Observed, 'candidate' | 'purpose' | 'confidence'>,
): Promise<Prepared> {
  const drivers = deps.drivers(spec);
  assertRemoved(spec, situation);
  await assertSamePlatform(deps, spec, situation.stable?.spec);
  await drivers.router.check(spec.scope);
  if (wanted.purpose === 'deploy') {
    await drivers.platform.check(spec.run, spec.source.kind === 'directory' ? spec.source.directory : undefined);
  }
  const instances = await drivers.platform.list(spec.scope);
  const stable = situation.stable?.release;
  const stableRunning = stable === undefined ? [] : running(instances, stable.id);
  const candidateRunning = running(instances, wanted.candidate.id);
  const warm =
    situation.warm?.placement.release.id === wanted.candidate.id && candidateRunning.length >= spec.minAvailable;
  const stored = (await deps.releases.list(spec.scope.service)).some((release) => release.id === wanted.candidate.id);
  if (wanted.purpose === 'rollback' && !stored && !warm) throw gone(wanted.candidate.id);
  const observed: Observed = {
    ...wanted,
    ...stableIn(situation),
    stableInstances: stableRunning.length,
    candidateWarm: warm,
    candidateStored: stored,
  };
  return {
    plan: compilePlan(spec, observed, drivers.router.capabilities),
    drivers,
    stable: stableRunning,
    candidate: warm || stable?.id === wanted.candidate.id ? candidateRunning : [],
  };
}

/** Nobody would look any more where a removal that is not through left the rest. */
function assertRemoved(spec: DeploySpec, { removal }: Situation): void {
  if (removal === undefined || removal.finished) return;
  const { platform, router } = removal.spec;
  if (placeOf(platform) === placeOf(spec.platform) && routedAt(router) === routedAt(spec.router)) return;
  throw new Failure('plan.unsupported', `${scopeName(spec.scope)} is not taken away to its end yet`, {
    at: placeOf(platform) === placeOf(spec.platform) ? 'router' : 'platform',
    remedy: 'Finish it with `sluice remove` before you deploy the service somewhere else.',
  });
}

/** Where stable cannot be seen it would count as gone, and its traffic go to whatever can be. */
async function assertSamePlatform(deps: Dependencies, spec: DeploySpec, stable: DeploySpec | undefined): Promise<void> {
  if (stable === undefined || placeOf(stable.platform) === placeOf(spec.platform)) return;
  const there = await deps.drivers(stable).platform.list(spec.scope);
  if (!there.some(({ state }) => state === 'running')) return;
  throw new Failure(
    'plan.unsupported',
    `the stable release of ${scopeName(spec.scope)} runs on ${placeOf(stable.platform)}, this deployment would run on ${placeOf(spec.platform)}`,
    {
      at: 'platform',
      remedy:
        'Deploy it as an environment of its own, with an address of its own, and lead the traffic there; a deployment cannot move a service from one platform to another.',
    },
  );
}

/** Where a router keeps its part of a service; other settings of it may be corrected while that lies there. */
function routedAt(router: RouterSpec): string {
  if (router.driver === 'nginx') return `nginx ${router.include}`;
  return router.driver === 'haproxy' ? `haproxy ${router.directory}` : router.driver;
}

/** Which instances a platform can see. */
function placeOf(platform: PlatformSpec): string {
  if (platform.driver !== 'docker') return platform.driver;
  const { engine } = platform;
  return engine.kind === 'socket' ? `docker at ${engine.path}` : `docker at ${engine.host}:${engine.port}`;
}

function stableIn({ stable }: Situation): Pick<Observed, 'stable' | 'stableAsked' | 'stableWanted'> {
  if (stable === undefined) return { stableWanted: 0 };
  const { health, validation } = stable.spec;
  return { stable: stable.release, stableAsked: { health, validation }, stableWanted: stable.instances };
}

function running(instances: readonly Instance[], release: ReleaseId): readonly Endpoint[] {
  return instances.filter((instance) => instance.release === release && instance.state === 'running').map(endpointOf);
}

async function findTarget(deps: Dependencies, request: RollbackRequest, situation: Situation): Promise<Placement> {
  const { to, scope } = request;
  if (to === undefined) {
    const target = lastGood(situation);
    if (target === undefined) throw nothingToGoBackTo(scope);
    return target;
  }
  if (situation.stable !== undefined && names(to, situation.stable.release)) {
    throw new Failure(
      'rollback.nothing',
      `${situation.stable.release.id} is the stable release of ${scopeName(scope)} already`,
      {
        at: '--to',
        remedy: 'Name another release; `sluice history` lists them.',
      },
    );
  }
  const known =
    situation.earlier.find((placement) => names(to, placement.release)) ?? (await fromHistory(deps, scope, to));
  if (known !== undefined) return known;
  throw new Failure('release.unknown', `no release ${to} was ever stable in ${scopeName(scope)}`, {
    at: '--to',
    remedy: 'Name a release as `sluice history` shows it.',
  });
}

const historySearched = 500;

async function fromHistory(deps: Dependencies, scope: Scope, to: string): Promise<Placement | undefined> {
  const rollouts = await deps.store.rollouts({ scope, limit: historySearched });
  const rollout = rollouts.find(({ plan, status }) => status === 'VERIFIED' && names(to, plan.candidate));
  if (rollout === undefined) return undefined;
  const { candidate, spec } = rollout.plan;
  return { release: candidate, spec, deployment: rollout.id, instances: spec.instances, since: rollout.at };
}

/** Whether a person's words name the release: its id, its label, or the beginning of its digest (at least four digits). */
function names(words: string, release: Release): boolean {
  const digits = release.id.slice(release.id.lastIndexOf('@') + 1);
  return words === release.id || words === release.label || (words.length >= 4 && digits.startsWith(words));
}

function nothingToGoBackTo(scope: Scope): Failure {
  return new Failure('rollback.nothing', `${scopeName(scope)} has no earlier release to go back to`, {
    at: scopeName(scope),
    remedy: 'Deploy a release that works with `sluice deploy`; `sluice history` lists what was deployed.',
  });
}

function takenAway(scope: Scope): Failure {
  return new Failure('rollback.nothing', `${scopeName(scope)} was taken away, so there is nothing to go back from`, {
    at: scopeName(scope),
    remedy: 'Deploy with `sluice deploy`; then it can go back to what was stable before as well.',
  });
}

function gone(release: ReleaseId): Failure {
  return new Failure('release.gone', `the files of ${release} are no longer in the release store`, {
    at: release,
    remedy: 'Deploy it again from its source; raise `keepReleases` to keep more.',
  });
}
