// How the containers of a service run: networks, mounts, resources, rights, health check, what they need.

import type { ComposeNeed, ContainerHealth, ContainerRun, NetworkAttachment } from '../../core/container.ts';
import { defined } from '../resolve-docker.ts';
import { type Project, realName, serviceMounts } from './mounts.ts';
import type { ComposeService } from './service-schema.ts';

interface Limits {
  readonly cpus?: number | undefined;
  readonly pids?: number | undefined;
}

/** Everything but the port. */
export function serviceContainer(
  service: ComposeService,
  project: Project,
  known: {
    readonly networks: readonly NetworkAttachment[];
    readonly limits: Limits | undefined;
  },
): Partial<ContainerRun> {
  return {
    networks: known.networks,
    mounts: serviceMounts(service, project),
    // Without it programs keep what Compose gives them.
    noNewPrivileges: (service.security_opt ?? []).length > 0,
    needs: needs(service, project),
    ...defined({
      ...resources(service, known.limits),
      entrypoint: service.entrypoint ?? undefined,
      workingDirectory: service.working_dir,
      labels: service.labels,
      readOnly: service.read_only,
      capAdd: service.cap_add,
      capDrop: service.cap_drop,
      init: service.init,
      tty: service.tty,
      groups: service.group_add,
      sysctls: service.sysctls,
      dns: service.dns,
      dnsSearch: service.dns_search,
      hosts: service.extra_hosts,
      stopSignal: service.stop_signal,
      log: log(service.logging),
      health: service.healthcheck === undefined ? undefined : health(service.healthcheck),
      platform: service.platform,
    }),
  };
}

function resources(service: ComposeService, limits: Limits | undefined) {
  const cpus = unlessZero(service.cpus ?? limits?.cpus);
  const pids = service.pids_limit ?? limits?.pids;
  const ulimits = service.ulimits === undefined ? undefined : Object.entries(service.ulimits);
  return {
    milliCpus: cpus === undefined ? undefined : Math.round(cpus * 1000),
    cpuShares: unlessZero(service.cpu_shares),
    // For the engine all that is not above 0 is without limit.
    pids: pids === undefined || pids > 0 ? pids : -1,
    shmBytes: unlessZero(service.shm_size),
    memoryReservationBytes: unlessZero(service.mem_reservation ?? service.deploy?.resources?.reservations?.memory),
    memorySwapBytes: unlessZero(service.memswap_limit),
    ulimits: ulimits?.map(([name, { soft, hard }]) => ({ name, soft, hard })),
  };
}

/** For Compose and the engine a resource of 0 is one of which nothing was said. */
export function unlessZero(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function log({ driver, options = {} }: NonNullable<ComposeService['logging']> = {}): ContainerRun['log'] {
  if (driver === undefined && Object.keys(options).length === 0) return undefined;
  return { options, ...defined({ driver }) };
}

function health(given: NonNullable<ComposeService['healthcheck']>): ContainerHealth {
  const { test, disable, interval, timeout, start_period: startPeriod, retries } = given;
  if (disable === true || (Array.isArray(test) && test[0] === 'NONE')) return 'off';
  return {
    test: typeof test === 'string' ? ['CMD-SHELL', test] : (test ?? []),
    ...defined({ intervalMs: interval, timeoutMs: timeout, startPeriodMs: startPeriod, retries }),
  };
}

export function serviceNetworks(
  service: ComposeService,
  { file, name, problems }: Project,
): readonly NetworkAttachment[] {
  if (service.network_mode === 'bridge') return [{ name: 'bridge', aliases: [] }];
  const asked = Object.entries(service.networks ?? { default: null });
  const declared = file.networks ?? {};
  const found: (NetworkAttachment & { readonly priority: number })[] = [];
  for (const [key, options] of asked) {
    if (key !== 'default' && !Object.hasOwn(declared, key))
      problems.add(['networks', key], 'is a network that the file does not have', `Write ${key}: under networks.`);
    found.push({
      name: realName(key, declared[key], name),
      aliases: options?.aliases ?? [],
      priority: options?.priority ?? 0,
    });
  }
  return found.sort((a, b) => b.priority - a.priority).map(({ name, aliases }) => ({ name, aliases }));
}

const conditions = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'completed',
} as const;

function needs(service: ComposeService, { name, file, problems }: Project): readonly ComposeNeed[] {
  return Object.entries(service.depends_on ?? {}).flatMap(([other, { condition, required }]) => {
    if (!required) return [];
    if (!Object.hasOwn(file.services, other)) {
      problems.add(
        ['depends_on', other],
        'is a service that the file does not have',
        `Write ${other}: under services.`,
      );
    }
    return [{ project: name, service: other, condition: conditions[condition] }];
  });
}
