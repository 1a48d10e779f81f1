// What can be found out about starting containers, and refused, before any of them is made.

import { stat } from 'node:fs/promises';
import { Failure } from '../../../base/failure.ts';
import type { ComposeNeed, ContainerRun } from '../../../core/container.ts';
import type { DockerEngineSpec } from '../../../core/plan/spec.ts';
import type { Container } from './answers.ts';
import type { EngineApi } from './engine-api.ts';
import { composeLabel, composeName, label } from './names.ts';
import { checkNetworks } from './networks.ts';

/** The Engine API of Docker 20.10. */
const oldestApi = [1, 41] as const;

/** Rejects with `platform.failed`, `plan.unsupported` or what the connection rejects with. */
export async function checkEngine(api: EngineApi): Promise<void> {
  const { Version, ApiVersion } = await api.version();
  const [major = 0, minor = 0] = ApiVersion.split('.').map(Number);
  if (major > oldestApi[0] || (major === oldestApi[0] && minor >= oldestApi[1])) return;
  throw new Failure(
    'plan.unsupported',
    `The container engine ${Version} speaks version ${ApiVersion} of the Engine API, which is too old.`,
    {
      at: api.place,
      remedy: `Upgrade to Docker Engine 20.10 (API ${oldestApi.join('.')}) or later.`,
    },
  );
}

export async function checkContainer(api: EngineApi, container: ContainerRun, engine: DockerEngineSpec): Promise<void> {
  await checkNetworks(api, container);
  for (const mount of container.mounts) {
    if (mount.kind === 'volume' && mount.source !== undefined && !(await api.hasVolume(mount.source))) {
      throw missing(`volume ${mount.source}`, `docker volume create ${mount.source}`);
    }
    // The files of another machine cannot be looked at from here.
    if (mount.kind === 'bind' && engine.kind === 'socket' && !(await exists(mount.source))) {
      throw missing(`file or directory ${mount.source}`, `mkdir -p ${mount.source}`);
    }
  }
  for (const need of container.needs) await checkNeed(api, need);
}

function missing(what: string, command: string): Failure {
  return new Failure('plan.unsupported', `There is no ${what}, which the container mounts.`, {
    at: 'platform.docker.volumes',
    remedy: `Make it (\`${command}\`; for Compose, \`docker compose up\` makes those of its file), or correct the name.`,
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** What the service depends on must run already, wherever it is looked after. */
async function checkNeed(api: EngineApi, need: ComposeNeed): Promise<void> {
  const { project, service, condition } = need;
  const made = await api.containers({
    label: [`${composeLabel.project}=${project}`, `${composeLabel.service}=${service}`],
  });
  // One of Sluice's that ended was asked to, which is not what having done its work is.
  const own =
    condition === 'completed' ? [] : await api.containers({ label: [`${label.compose}=${composeName(need)}`] });
  const listed = [...made.filter(({ Labels }) => Labels[composeLabel.once] !== 'True'), ...own];
  const found = (await Promise.all(listed.map(({ Id }) => api.container(Id)))).filter((one) => one !== undefined);
  if (found.some((one) => fulfils(one, condition))) return;
  const how = { started: 'does not run', healthy: 'is not healthy', completed: 'has not ended well' }[condition];
  throw new Failure(
    'plan.unsupported',
    `The service depends on ${service} of the Compose project ${project}, which ${how}.`,
    {
      at: 'depends_on',
      remedy: `Start it with \`docker compose up -d ${service}\` and look at its log with \`docker compose logs ${service}\`, or, where Sluice looks after it, deploy it.`,
    },
  );
}

function fulfils({ State }: Container, condition: ComposeNeed['condition']): boolean {
  switch (condition) {
    case 'started':
      return State.Status === 'running';
    case 'healthy':
      return State.Status === 'running' && State.Health?.Status === 'healthy';
    case 'completed':
      return State.Status === 'exited' && State.ExitCode === 0;
  }
}
