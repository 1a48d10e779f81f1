// Values that Sluice knows and that mean something it does otherwise, or not at all.

import { formatDuration } from '../../base/duration.ts';
import type { ComposeProblems } from './problems.ts';
import type { ComposeService } from './service-schema.ts';

/** What the configuration says of the same things. */
export interface Said {
  readonly instances: number;
  readonly stopGraceMs: number;
}

export function refuseValues(said: Said, service: ComposeService, problems: ComposeProblems): void {
  refuseNumbers(said, service, problems);
  refuseRights(service, problems);
  if (service.deploy?.mode !== undefined && service.deploy.mode !== 'replicated')
    problems.refuse(['deploy', 'mode'], 'Sluice runs a number of instances');
  if (service.deploy?.resources?.reservations?.cpus !== undefined)
    problems.refuse(['deploy', 'resources', 'reservations', 'cpus'], 'the engine cannot reserve processors');
  if (service.pull_policy === 'build') problems.refuse(['pull_policy'], 'Sluice builds no images');
  const mode = service.network_mode;
  if (mode !== undefined && mode !== 'bridge')
    problems.refuse(['network_mode'], 'instances need a network of their own');
}

function refuseNumbers({ instances, stopGraceMs }: Said, service: ComposeService, problems: ComposeProblems): void {
  const replicas = service.scale ?? service.deploy?.replicas;
  if (replicas !== undefined && replicas !== instances) {
    const remedy = `Write instances: ${replicas} in sluice.yaml.`;
    problems.add(['deploy', 'replicas'], `is ${replicas}, but Sluice runs ${instances}`, remedy);
  }
  const grace = service.stop_grace_period;
  if (grace !== undefined && grace !== stopGraceMs) {
    const remedy = `Write stopGrace: ${formatDuration(grace)} in sluice.yaml.`;
    const message = `is ${formatDuration(grace)}, but Sluice waits ${formatDuration(stopGraceMs)}`;
    problems.add(['stop_grace_period'], message, remedy);
  }
}

function refuseRights({ privileged, security_opt: options = [] }: ComposeService, problems: ComposeProblems): void {
  if (privileged === true)
    problems.refuse(['privileged'], 'it takes the walls between containers and the machine away');
  for (const option of options) {
    if (/^no-new-privileges(?:[:=]true)?$/.test(option)) continue;
    problems.refuse(['security_opt'], `Sluice does not know ${JSON.stringify(option)}`);
  }
}

/** The first that is said of the variable `PORT`, `expose` and `ports`; a range is none, nor is one that speaks no TCP. */
export function portOf(service: ComposeService, said: string | undefined): number | undefined {
  const all = [said, ...(service.expose ?? []), ...(service.ports ?? [])];
  const found = all.find((text) => text !== undefined && /^\d{1,5}(?:\/tcp)?$/i.test(text));
  return found === undefined ? undefined : Number.parseInt(found, 10);
}
