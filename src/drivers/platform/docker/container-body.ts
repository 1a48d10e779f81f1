// What the engine is asked to make for one instance; pure.

import type { ContainerHealth, ContainerRun, Mount } from '../../../core/container.ts';
import type { InstanceGroup } from '../../../core/instance.ts';
import type { RunLimits } from '../../../core/release.ts';
import { composeName, label } from './names.ts';

export interface Birth {
  readonly group: InstanceGroup;
  readonly container: ContainerRun;
  readonly owner: string;
  readonly instance: string;
  readonly number: number;
  /** The image by what never moves. */
  readonly image: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Undefined: nowhere. */
  readonly publish: string | undefined;
  readonly port: number;
  /** The network of its birth; others are joined before it starts. */
  readonly network: string;
}

const nsPerMs = 1_000_000;

/** The body of `POST /containers/create`. It holds the resolved environment, so it is never logged. */
export function containerBody(birth: Birth): object {
  const { group, container, network, publish } = birth;
  const { run } = group.release;
  const inside = `${container.port}/tcp`;
  const aliases = container.networks.find(({ name }) => name === network)?.aliases ?? [];
  return {
    Image: birth.image,
    Env: Object.entries({ ...birth.variables, ...ownVariables(birth) }).map(([name, value]) => `${name}=${value}`),
    Labels: { ...container.labels, ...ownLabels(birth) },
    ExposedPorts: { [inside]: {} },
    Tty: container.tty,
    ...(run.command.length === 0 ? {} : { Cmd: run.command }),
    ...(container.entrypoint === undefined ? {} : { Entrypoint: container.entrypoint }),
    ...(container.workingDirectory === undefined ? {} : { WorkingDir: container.workingDirectory }),
    ...(run.user === undefined ? {} : { User: run.user }),
    ...(container.stopSignal === undefined ? {} : { StopSignal: container.stopSignal }),
    ...(container.health === undefined ? {} : { Healthcheck: healthcheck(container.health) }),
    HostConfig: {
      ...hostConfig(container, run.limits),
      NetworkMode: network,
      PortBindings: publish === undefined ? {} : { [inside]: [{ HostIp: publish, HostPort: String(birth.port) }] },
      // Who ended and why is for Sluice to see and to decide.
      RestartPolicy: { Name: 'no' },
    },
    // The engine's built-in network knows no names.
    NetworkingConfig: {
      EndpointsConfig: aliases.length === 0 ? {} : { [network]: { Aliases: aliases } },
    },
  };
}

function ownVariables({ group, container, instance }: Birth): Record<string, string> {
  return {
    PORT: String(container.port),
    SLUICE_SERVICE: group.scope.service,
    SLUICE_ENVIRONMENT: group.scope.environment,
    SLUICE_RELEASE: group.release.id,
    SLUICE_INSTANCE: instance,
  };
}

function ownLabels({ group, container, owner, instance, number, port }: Birth): Record<string, string> {
  return {
    [label.service]: group.scope.service,
    [label.environment]: group.scope.environment,
    [label.release]: group.release.id,
    [label.deployment]: group.deployment,
    [label.owner]: owner,
    [label.instance]: instance,
    [label.number]: String(number),
    [label.port]: String(port),
    [label.inside]: String(container.port),
    ...(container.compose === undefined ? {} : { [label.compose]: composeName(container.compose) }),
  };
}

function hostConfig(container: ContainerRun, limits: RunLimits): object {
  const { openFiles, memoryBytes } = limits;
  const files = openFiles === undefined ? [] : [{ Name: 'nofile', Soft: openFiles, Hard: openFiles }];
  const ulimits = container.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard }));
  return {
    Mounts: container.mounts.map(mount),
    ReadonlyRootfs: container.readOnly,
    CapAdd: container.capAdd,
    CapDrop: container.capDrop,
    SecurityOpt: container.noNewPrivileges ? ['no-new-privileges:true'] : [],
    Init: container.init,
    GroupAdd: container.groups,
    Ulimits: [...ulimits.filter(({ Name }) => openFiles === undefined || Name !== 'nofile'), ...files],
    Sysctls: container.sysctls,
    Dns: container.dns,
    DnsSearch: container.dnsSearch,
    ExtraHosts: container.hosts,
    ...defined({
      Memory: memoryBytes,
      MemoryReservation: container.memoryReservationBytes,
      MemorySwap: container.memorySwapBytes,
      NanoCpus: container.milliCpus === undefined ? undefined : container.milliCpus * nsPerMs,
      CpuShares: container.cpuShares,
      PidsLimit: container.pids,
      ShmSize: container.shmBytes,
      // Without a type the engine takes its own, and the options for it.
      LogConfig:
        container.log === undefined ? undefined : { Type: container.log.driver ?? '', Config: container.log.options },
    }),
  };
}

function mount(wanted: Mount): object {
  const { kind, target: Target, readOnly: ReadOnly } = wanted;
  switch (wanted.kind) {
    case 'bind':
      return { Type: kind, Source: wanted.source, Target, ReadOnly };
    case 'volume':
      return { Type: kind, Target, ReadOnly, ...defined({ Source: wanted.source }) };
    case 'tmpfs': {
      const { sizeBytes: SizeBytes, mode: Mode } = wanted;
      return { Type: kind, Target, ReadOnly, TmpfsOptions: defined({ SizeBytes, Mode }) };
    }
  }
}

function healthcheck(health: ContainerHealth): object {
  if (health === 'off') return { Test: ['NONE'] };
  const ns = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms * nsPerMs);
  return defined({
    Test: health.test,
    Interval: ns(health.intervalMs),
    Timeout: ns(health.timeoutMs),
    StartPeriod: ns(health.startPeriodMs),
    Retries: health.retries,
  });
}

function defined(given: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
