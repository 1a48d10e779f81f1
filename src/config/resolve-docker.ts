// Resolves the settings of the platform docker: where the engine is, and how a container runs.

import { resolve as resolvePath } from 'node:path';
import type { ContainerHealth, ContainerRun, Mount } from '../core/container.ts';
import type { DockerEngineSpec, DockerPlatformSpec } from '../core/plan/spec.ts';
import type { ComposedService } from './compose/composed.ts';
import type { DockerSettings } from './schema/docker.ts';

export const defaultSocket = '/var/run/docker.sock';

export function dockerPlatformSpec(settings: DockerSettings, baseDirectory: string): DockerPlatformSpec {
  const { publish = '127.0.0.1', ports } = settings;
  return {
    driver: 'docker',
    engine: engineSpec(settings, baseDirectory),
    ...(publish === 'off' ? {} : { publish }),
    ...(ports === undefined ? {} : { ports }),
  };
}

export function engineSpec({ socket, host, tls }: DockerSettings, baseDirectory: string): DockerEngineSpec {
  if (host === undefined) return { kind: 'socket', path: socket ?? defaultSocket };
  if (tls === undefined) return { kind: 'host', ...host };
  const [ca, certificate, key] = [tls.ca, tls.certificate, tls.key].map((file) => resolvePath(baseDirectory, file));
  return { kind: 'host', ...host, tls: { ca: ca ?? '', certificate: certificate ?? '', key: key ?? '' } };
}

/** How a container runs where nothing is said. */
function plainContainer(port: number): ContainerRun {
  return {
    port,
    networks: [],
    mounts: [],
    labels: {},
    readOnly: false,
    capAdd: [],
    capDrop: [],
    noNewPrivileges: true,
    init: false,
    tty: false,
    groups: [],
    ulimits: [],
    sysctls: {},
    dns: [],
    dnsSearch: [],
    hosts: [],
    needs: [],
  };
}

/** What is said in Sluice's own settings goes over what the Compose file says; lists replace lists, but mounts and labels are added. */
export function containerRun(
  settings: DockerSettings,
  port: number,
  composed: ComposedService | undefined,
): ContainerRun {
  const base = { ...plainContainer(port), ...composed?.container, networks: composedNetworks(settings, composed) };
  const { limits, newPrivileges, network, volumes = [], tmpfs = [], health } = settings;
  return {
    ...base,
    ...defined({
      platform: settings.platform,
      entrypoint: settings.entrypoint,
      networks: network?.map((name) => ({ name, aliases: [] })),
      readOnly: settings.readOnly,
      capAdd: settings.capAdd,
      capDrop: settings.capDrop,
      noNewPrivileges: newPrivileges === undefined ? undefined : !newPrivileges,
      init: settings.init,
      log: settings.log,
      milliCpus: limits?.cpus === undefined ? undefined : Math.round(limits.cpus * 1000),
      pids: limits?.pids,
      shmBytes: limits?.sharedMemory,
      health: health === undefined ? undefined : ownHealth(health),
      compose: composed === undefined ? undefined : { project: composed.project, service: composed.service },
    }),
    labels: { ...base.labels, ...settings.labels },
    mounts: [...base.mounts, ...volumes.map(volumeMount), ...tmpfs.map(memoryMount)],
  };
}

/** Under shared names every instance is found, whether it has traffic or not. */
function composedNetworks(
  { shareNames }: DockerSettings,
  composed: ComposedService | undefined,
): ContainerRun['networks'] {
  const networks = composed?.container.networks ?? [];
  return networks.map(({ name, aliases }) => ({
    name,
    aliases: shareNames === true && composed !== undefined ? [...new Set([composed.service, ...aliases])] : [],
  }));
}

function ownHealth(given: NonNullable<DockerSettings['health']>): ContainerHealth {
  if (given === 'off') return 'off';
  const { command, interval, timeout, startPeriod, retries } = given;
  return {
    test: command === undefined ? [] : ['CMD', ...command],
    ...defined({ intervalMs: interval, timeoutMs: timeout, startPeriodMs: startPeriod, retries }),
  };
}

function volumeMount(text: string): Mount {
  const [source = '', target = '', mode] = text.split(':');
  return { kind: source.startsWith('/') ? 'bind' : 'volume', source, target, readOnly: mode === 'ro' };
}

function memoryMount(target: string): Mount {
  return { kind: 'tmpfs', target, readOnly: false };
}

type Defined<Given> = { [Name in keyof Given]?: Exclude<Given[Name], undefined> };

/** Without the names that have no value, which would stand for something. */
export function defined<Given extends object>(given: Given): Defined<Given> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<Given>;
}
