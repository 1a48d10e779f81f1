// Takes over containers that Compose started, as they run, and gives them back to it.

import { Failure } from '../../../base/failure.ts';
import type { ContainerRun } from '../../../core/container.ts';
import type { AdoptSpec } from '../../../core/plan/spec.ts';
import type { Release } from '../../../core/release.ts';
import { adoptedAddress } from './own-address.ts';
import type { Container } from './answers.ts';
import { EngineRefusal } from './connection.ts';
import type { EngineApi } from './engine-api.ts';
import type { Member } from './members.ts';
import { changedName, composeLabel, type Realm, slotName } from './names.ts';
import { unique } from './starter.ts';

/** What Compose runs of the service and nobody took over yet. */
async function running(api: EngineApi, { project, service }: AdoptSpec): Promise<readonly Container[]> {
  const filters = {
    label: [`${composeLabel.project}=${project}`, `${composeLabel.service}=${service}`],
    status: ['running'],
  };
  const listed = await api.containers(filters);
  const found = await Promise.all(
    listed
      .filter(
        ({ Names, Labels }) =>
          Labels[composeLabel.once] !== 'True' && !(Names ?? []).some((name) => name.includes('.adopted-')),
      )
      .map(({ Id }) => api.container(Id)),
  );
  return found.filter((container) => container !== undefined);
}

/** Rejects with `plan.unsupported` where what runs is not what the file says, so that it cannot stand for the release. */
export async function checkAdoption(
  api: EngineApi,
  adopt: AdoptSpec,
  container: ContainerRun,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const found = await running(api, adopt);
  if (found.length === 0) throw nothingRuns(adopt);
  const [image, machine] = await Promise.all([api.image(adopt.image), api.machine()]);
  for (const one of found) {
    if (image?.Id !== one.Image) throw differs(adopt, one, `runs another image than ${adopt.image}`);
    const other = Object.entries(variables).find(
      ([name, value]) => !(one.Config.Env ?? []).includes(`${name}=${value}`),
    );
    if (other !== undefined) throw differs(adopt, one, `has another value of the variable ${other[0]}`);
    if (adoptedAddress(one, container.port, machine) === undefined)
      throw differs(adopt, one, `cannot be reached at its port ${container.port} from this machine`);
  }
}

/** A rename is all that happens to them. `again` where somebody else was faster. */
export async function takeOver(
  api: EngineApi,
  adopt: AdoptSpec,
  wanted: { readonly realm: Realm; readonly release: Release; readonly deployment: string; readonly inside: number },
  taken: ReadonlySet<number>,
): Promise<number> {
  const { realm, release, deployment, inside } = wanted;
  let number = 0;
  let count = 0;
  for (const { Id } of await running(api, adopt)) {
    do number += 1;
    while (taken.has(number));
    const facts = { restarts: 0, deployment, adopted: inside, ended: false };
    try {
      await api.rename(Id, changedName(slotName(realm, release.id, number), facts, ''));
      count += 1;
    } catch (error) {
      if (!(error instanceof EngineRefusal && error.status === 409)) throw error;
    }
  }
  return count;
}

/** Gives it the name back that Compose gave it. */
export async function giveBack(api: EngineApi, { id, container }: Member): Promise<void> {
  const { Labels } = container.Config;
  const line = (Labels[composeLabel.version] ?? '').startsWith('1.') ? '_' : '-';
  const parts = [Labels[composeLabel.project], Labels[composeLabel.service], Labels[composeLabel.number] ?? '1'];
  const name = parts.join(line);
  try {
    await api.rename(id, name);
  } catch (error) {
    // Compose has made another one meanwhile.
    if (!(error instanceof EngineRefusal && error.status === 409)) throw error;
    await api.rename(id, `${name}${line}${unique()}`);
  }
}

function nothingRuns({ project, service }: AdoptSpec): Failure {
  return new Failure('plan.unsupported', `Nothing runs of the service ${service} of the Compose project ${project}.`, {
    at: 'platform.docker.compose',
    remedy: `Start it with \`docker compose up -d ${service}\`, or deploy it with \`sluice deploy\` instead of adopting it.`,
  });
}

function differs({ service }: AdoptSpec, { Name }: Container, why: string): Failure {
  return new Failure('plan.unsupported', `The container ${Name.replace('/', '')} ${why}.`, {
    at: 'platform.docker.compose',
    remedy: `Bring both together (\`docker compose up -d ${service}\` starts what the file says), then adopt it.`,
  });
}
