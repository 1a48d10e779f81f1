// `platform.docker`: the container engine, and how instances run in containers of it.

import * as z from 'zod';
import { words } from '../words.ts';
import { remoteAddress } from './address.ts';
import { ports } from './ports.ts';
import { settings } from './settings.ts';
import { command, duration, flag, size, text, whole } from './values.ts';

const tls = settings({
  ca: text('./tls/ca.pem').describe('Certificate of the authority that signed the engine’s, as a PEM file.'),
  certificate: text('./tls/cert.pem').describe('Certificate of Sluice as the engine’s client.'),
  key: text('./tls/key.pem').describe('Its private key.'),
}).meta({ id: 'EngineTls' });

const listOf = (what: string, example: string) =>
  z
    .array(text(example), { error: words(`is not a list of ${what}`, `Write a list such as ["${example}"].`) })
    .max(1000, { error: words('is too long', 'Write at most 1000.') });

const textMap = (what: string, example: string) =>
  z.record(z.string().min(1).max(1024), text(example), {
    error: words(`is not a map of ${what}`, `Write lines such as ${example} under it.`),
  });

const volumeShape = /^[^:]+:\/[^:]*(?::(?:ro|rw))?$/;

const volume = text('data:/var/lib/shop').regex(volumeShape, {
  error: words('is not a volume', 'Write name:/path or /directory:/path, with :ro behind it for reading only.'),
});

const limits = settings({
  cpus: z
    .number({ error: words('is not a number of processors', 'Write a number such as 1.5.') })
    .min(0.001, { error: words('is too small', 'Write 0.001 or more.') })
    .max(10_000, { error: words('is too large', 'Write at most 10000.') })
    .optional()
    .describe('Processors that one instance may use, such as 1.5.'),
  pids: whole(1, 10_000_000).optional().describe('Processes and threads that one instance may have.'),
  sharedMemory: size({ least: '64KiB', most: '1TiB' }).optional().describe('Size of /dev/shm.'),
}).meta({ id: 'ContainerLimits' });

const log = settings({
  driver: text('json-file')
    .optional()
    .describe(
      'A log driver of the engine; without it, the engine’s own. `sluice logs` reads what the engine can read back.',
    ),
  options: textMap('options', 'max-size: 10m').prefault({}).describe('Options of the driver.'),
}).meta({ id: 'ContainerLog' });

const health = settings({
  command: command()
    .optional()
    .describe('Runs in the container and ends with 0 when it is healthy; without it, the image’s own check.'),
  interval: duration({ leastMs: 1, mostMs: 86_400_000 }).optional().describe('Between two looks.'),
  timeout: duration({ leastMs: 1, mostMs: 86_400_000 }).optional().describe('How long one look may take.'),
  startPeriod: duration({ mostMs: 86_400_000 }).optional().describe('How long failures after a start do not count.'),
  retries: whole(1, 1000).optional().describe('Failures in a row before it is unhealthy.'),
}).meta({ id: 'ContainerHealth' });

export const dockerSchema = settings({
  compose: text('docker-compose.yml')
    .optional()
    .describe(
      'A Compose file, relative to this one: image, variables, volumes, networks and everything else of one of its services are taken from it as Compose would take them. What is said here goes over it.',
    ),
  service: text('api', 255)
    .optional()
    .describe('The service of the Compose file; without it, the one of the same name.'),
  shareNames: flag()
    .optional()
    .describe(
      'Whether all instances are found under the service’s name and aliases on the networks of the Compose file. What asks by that name passes the router by, and reaches releases on trial too. Must be said where other services of the file depend on this one.',
    ),
  socket: text('/var/run/docker.sock')
    .regex(/^\//, { error: words('is not an absolute path', 'Write a path such as /var/run/docker.sock.') })
    .optional()
    .describe('Socket of the container engine. Without it and `host`: /var/run/docker.sock.'),
  host: remoteAddress('10.0.0.5:2376')
    .optional()
    .describe('Address of an engine on another machine, as `host:port`. Needs `tls` unless it is on loopback.'),
  tls: tls.optional().describe('How Sluice and the engine of `host` know each other.'),
  publish: z
    .union([
      z.literal('off', {
        error: words('is no address', 'Write one of the engine’s machine, such as 127.0.0.1, or off.'),
      }),
      text('127.0.0.1', 255),
    ])
    .optional()
    .describe(
      'Address on the engine’s machine on which instances are published and at which the router reaches them. Without it 127.0.0.1; for an engine on another machine it must be said. `off`: they are not published, and reached at their own addresses on the first of their networks.',
    ),
  ports: ports
    .optional()
    .describe('Instances take the lowest free port of these, so that the router can know their addresses beforehand.'),
  network: listOf('networks', 'backend')
    .optional()
    .describe('Networks that instances join; they must exist. Without it Sluice makes one, `sluice`.'),
  entrypoint: command().optional().describe('Stands in for the image’s own entry point.'),
  volumes: z
    .array(volume, { error: words('is not a list of volumes', 'Write a list such as ["data:/var/lib/shop"].') })
    .max(1000)
    .optional()
    .describe('What is mounted: `name:/path` or `/directory:/path`, with `:ro` behind it for reading only.'),
  tmpfs: listOf('paths', '/tmp').optional().describe('Paths in the container that are kept in memory.'),
  readOnly: flag().optional().describe('No program in the container may write but to its volumes and `tmpfs`.'),
  capAdd: listOf('capabilities', 'NET_BIND_SERVICE').optional().describe('Linux capabilities that are added.'),
  capDrop: listOf('capabilities', 'ALL').optional().describe('Linux capabilities that are taken away.'),
  newPrivileges: flag()
    .optional()
    .describe('Let programs in the container get more rights than their starter had (setuid). Without it they cannot.'),
  init: flag().optional().describe('Run a small first process that passes signals on and takes care of orphans.'),
  labels: textMap('labels', 'team: shop').optional().describe('Labels of the containers, beside Sluice’s own.'),
  limits: limits
    .optional()
    .describe('Limits of one instance beside `release.limits`; those that the engine cannot enforce it refuses.'),
  log: log.optional().describe('Where the output of instances goes; without it, the engine’s own way.'),
  health: z
    .union([health, z.literal('off')])
    .optional()
    .describe(
      'The engine’s own look at an instance, which has to pass beside Sluice’s. Without it, the image’s HEALTHCHECK where there is one.',
    ),
  platform: text('linux/amd64', 64)
    .regex(/^[a-z0-9]+\/[a-z0-9_]+(?:\/v[0-9]+)?$/, {
      error: words('is not a platform', 'Write one such as linux/amd64.'),
    })
    .optional()
    .describe('Platform of the image; without it, the engine’s.'),
}).meta({ id: 'DockerPlatform' });

export type DockerSettings = z.output<typeof dockerSchema>;
