// Looks after what a deployment under way stands on: a dead candidate ends the trial, a dead stable instance is started again, a
// router that lost its routes gets them again.

import { addressName, type Instance } from '../core/instance.ts';
import type { Role } from '../core/plan/step.ts';
import type { Fleet } from '../core/rollout/rollout.ts';
import { currentStep } from '../core/rollout/rollout.ts';
import type { Dependencies } from './dependencies.ts';
import { crashed, endpointOf } from './ensure-healthy.ts';
import { routesInForce } from './routes-in-force.ts';
import type { Runner } from './runner.ts';

export async function guardFleet(deps: Dependencies, runner: Runner): Promise<void> {
  const { plan } = runner.rollout;
  const { platform } = deps.drivers(plan.spec);
  await guardRoutes(deps, runner);
  const instances = await platform.list(plan.scope);
  // The step may have moved on while the platform was asked; what counts is the state now.
  const { fleet, course } = runner.rollout;
  const lost =
    course === 'forward' && !isChanging(runner, 'candidate') ? endedOf(instances, fleet.candidate) : undefined;
  if (lost !== undefined) {
    const failure = await crashed(deps.clock, platform, plan.scope, lost);
    await runner.post({ kind: 'candidate-lost', actor: 'sluice', failure: failure.toJSON() });
    return;
  }
  if (plan.stable === undefined || isChanging(runner, 'stable')) return;
  if (endedOf(instances, fleet.stable) === undefined) return;
  const { serving, leaving } = fleet.stable;
  deps.log.write('warn', 'an instance of the stable release ended; it is started again', {
    deployment: runner.rollout.id,
  });
  const group = {
    scope: plan.scope,
    release: plan.stable,
    deployment: runner.rollout.id,
    instances: serving.length + leaving.length,
  };
  const now = await platform.ensure(group);
  const endpoints = now.filter((instance) => instance.state === 'running').map(endpointOf);
  if (endpoints.length > 0 && changed(serving, endpoints)) {
    await runner.post({
      kind: 'fleet-changed',
      actor: 'sluice',
      role: 'stable',
      endpoints,
      reason: 'an instance of stable was started again at another address, or another one runs in its place',
    });
  }
}

/** Nobody else orders routes while a deployment is under way, so a router without any, once they are in force, has lost them. */
async function guardRoutes(deps: Dependencies, runner: Runner): Promise<void> {
  const { plan, revision } = runner.rollout;
  if (revision === 0 || runner.isRouting) return;
  const { router } = deps.drivers(plan.spec);
  if ((await routesInForce(deps, router, plan.scope)) !== undefined || runner.isRouting) return;
  const endpoints = runner.rollout.fleet.candidate.serving;
  const reason = 'the router had lost its routes; it is given them again';
  await runner.post({ kind: 'fleet-changed', actor: 'sluice', role: 'candidate', endpoints, reason });
}

/** While instances of a release are being started or stopped on purpose, their coming and going is the step's own business. */
function isChanging(runner: Runner, role: Role): boolean {
  const step = currentStep(runner.rollout)?.step;
  return (step?.kind === 'start' || step?.kind === 'stop' || step?.kind === 'drain') && step.role === role;
}

/** An instance that is meant to serve but has ended. */
function endedOf(instances: readonly Instance[], fleet: Fleet): Instance | undefined {
  const serving = new Set(fleet.serving.map((endpoint) => endpoint.instance));
  return instances.find((instance) => serving.has(instance.id) && instance.state === 'exited');
}

/** Whether an instance that should serve runs somewhere else now, or not at all because other copies already make up the number. */
function changed(before: Fleet['serving'], after: Fleet['serving']): boolean {
  return before.some((endpoint) => {
    const found = after.find((other) => other.instance === endpoint.instance);
    return found === undefined || addressName(found.address) !== addressName(endpoint.address);
  });
}
