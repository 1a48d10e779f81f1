// The networks of a container: one that Sluice makes, or those that are named.

import { Failure } from '../../../base/failure.ts';
import type { ContainerRun } from '../../../core/container.ts';
import { EngineRefusal } from './connection.ts';
import type { EngineApi } from './engine-api.ts';

/** Where nothing else is said: one network for all services, so that they find each other by name, and nobody else does. */
const ownNetwork = 'sluice';

export function networkOfBirth({ networks }: ContainerRun): string {
  return networks[0]?.name ?? ownNetwork;
}

/** Makes Sluice's own network where it is needed and missing. */
export async function prepareNetwork(api: EngineApi, container: ContainerRun): Promise<void> {
  if (container.networks.length > 0 || (await api.hasNetwork(ownNetwork))) return;
  await api.createNetwork(ownNetwork, { 'sluice.network': 'true' });
}

/** Rejects with `plan.unsupported` where a network is named that there is not. */
export async function checkNetworks(api: EngineApi, { networks }: ContainerRun): Promise<void> {
  for (const { name } of networks) {
    if (isBuiltIn(name) || (await api.hasNetwork(name))) continue;
    throw new Failure('plan.unsupported', `There is no network ${JSON.stringify(name)} at the container engine.`, {
      at: 'platform.docker.network',
      remedy: `Make it (\`docker network create ${name}\`; for Compose, \`docker compose up\` makes those of its file), or correct the name.`,
    });
  }
}

function isBuiltIn(name: string): boolean {
  return name === 'bridge';
}

/** Joins the networks beyond the first, which it was born on. */
export async function joinNetworks(api: EngineApi, id: string, { networks }: ContainerRun): Promise<void> {
  for (const { name, aliases } of networks.slice(1)) {
    try {
      await api.connect(name, id, aliases);
    } catch (error) {
      // It is in already; the engine says so with 403.
      if (!(error instanceof EngineRefusal && (error.status === 403 || /already exists/.test(error.message))))
        throw error;
    }
  }
}
