// Carries out the validation checks of a specification against a release's instances, its preview or the service itself.

import { Failure } from '../base/failure.ts';
import type { Address, Instance } from '../core/instance.ts';
import { type Asked, askedOf } from '../core/plan/plan.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import type { Through } from '../core/plan/step.ts';
import type { Release, ReleaseId } from '../core/release.ts';
import type { EffectAction } from '../core/rollout/effect.ts';
import { scopeName } from '../core/scope.ts';
import type { CheckOutcome } from '../core/validation/check.ts';
import type { Platform } from '../ports/platform.ts';
import type { Prober, ProbeTarget } from '../ports/prober.ts';
import { tried, type Performance } from './performance.ts';

/** Rejects with `validation.failed`, naming every check that failed. */
export async function validateRelease(
  work: Performance,
  release: Release,
  action: Extract<EffectAction, { kind: 'validate' }>,
): Promise<readonly CheckOutcome[]> {
  const targets = await targetsOf(work, release, action.through);
  const outcomes = await runChecks(work.deps.prober, askedOf(work.plan, action.role), targets, work.signal);
  const failed = outcomes.filter((outcome) => !outcome.passed);
  if (failed.length === 0) return outcomes;
  throw new Failure(
    'validation.failed',
    `validation of ${release.id} failed: ${failed.map((outcome) => `${outcome.name}: ${outcome.reason}`).join('; ')}`,
    {
      at: 'validate',
      remedy: 'Mend the release or the check; `sluice validate` asks again at any time.',
      details: { outcomes },
    },
  );
}

/** All checks against all targets, side by side; results in the order of targets, then checks. */
export async function runChecks(
  prober: Prober,
  { validation }: Pick<Asked, 'validation'>,
  targets: readonly ProbeTarget[],
  signal: AbortSignal,
): Promise<readonly CheckOutcome[]> {
  const runs = targets.flatMap((target) => validation.map((check) => prober.probe(check, target, signal)));
  return Promise.all(runs);
}

async function targetsOf(work: Performance, release: Release, through: Through): Promise<readonly ProbeTarget[]> {
  const { spec, scope } = work.plan;
  if (through === 'service') return [serviceTarget(spec)];
  if (through === 'preview') return [previewTarget(spec)];
  const instances = await tried(work, work.deps.timing.effectMs, () => work.drivers.platform.list(scope));
  return instanceTargets(instances, release.id);
}

function instanceTargets(instances: readonly Instance[], release: ReleaseId): readonly ProbeTarget[] {
  return instances
    .filter((instance) => instance.release === release && instance.state === 'running')
    .map((instance) => ({ address: instance.address, tls: false }));
}

/** The release on trial at its own instances; rejects where none is. */
export async function previewTargets(
  platform: Platform,
  spec: DeploySpec,
  candidate: ReleaseId | undefined,
): Promise<readonly ProbeTarget[]> {
  const targets = candidate === undefined ? [] : instanceTargets(await platform.list(spec.scope), candidate);
  if (targets.length > 0) return targets;
  throw new Failure('deployment.none', `no release of ${scopeName(spec.scope)} is on trial`, {
    at: '--preview',
    remedy: 'Leave `--preview` out to validate the service itself.',
  });
}

/** Where the service's users reach it. */
export function serviceTarget(spec: DeploySpec): ProbeTarget {
  const { router } = spec;
  if (router.driver === 'memory') return { address: memoryAddress, tls: false };
  const target = { address: reachable(router.listen), tls: 'tls' in router && router.tls !== undefined };
  if (router.driver !== 'nginx') return target;
  const { reachAt, serverName = '' } = router;
  // NGINX knows patterns too, which nobody is called by.
  const name = serverName.split(' ').find((each) => /^[\w.-]+$/.test(each) && !each.startsWith('.'));
  return { ...target, ...(reachAt === undefined ? {} : { address: reachAt }), ...(name === undefined ? {} : { name }) };
}

export function previewTarget(spec: DeploySpec): ProbeTarget {
  const { router } = spec;
  const preview = router.driver === 'memory' ? memoryPreviewAddress : router.preview;
  if (preview === undefined) {
    const setting = `router.${router.driver}.preview`;
    throw new Failure('plan.unsupported', 'the router has no preview address', {
      at: setting,
      remedy: `Set \`${setting}\`.`,
    });
  }
  return { address: reachable(preview), tls: false };
}

/** The memory router listens nowhere; its prober knows these addresses. */
export const memoryAddress: Address = { host: '127.0.0.1', port: 0 };
export const memoryPreviewAddress: Address = { host: '127.0.0.1', port: 1 };

/** An address to connect to, for one that is listened on. */
function reachable(listen: Address): Address {
  if (listen.host === '0.0.0.0') return { host: '127.0.0.1', port: listen.port };
  return listen.host === '::' ? { host: '::1', port: listen.port } : listen;
}
