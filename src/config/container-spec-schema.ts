// Checks the parts of a specification that say how containers run, as they come over the wire or out of the store.

import { isAbsolute, posix } from 'node:path';
import * as z from 'zod';

const most = 1000;
const text = z
  .string()
  .max(32_768)
  .refine((value) => !value.includes('\0'), { error: 'holds a NUL character' });
const short = z.string().min(1).max(4096);
const absolute = short.refine((path) => isAbsolute(path) && !path.includes('\0'), { error: 'not an absolute path' });
const inside = short.refine((path) => posix.isAbsolute(path) && !path.includes('\0'), {
  error: 'not an absolute path in the container',
});
const port = z.int().min(1).max(65_535);
const bytes = z.int().positive();
const ms = z.int().min(0).max(86_400_000);
const texts = z.array(short).max(most);
const map = z.record(z.string().min(1).max(1024), text).refine((given) => Object.keys(given).length <= most);

export const imagePlatform = z.string().regex(/^[a-z0-9]+\/[a-z0-9_]+(?:\/v[0-9]+)?$/, {
  error: 'not a platform such as linux/amd64',
});

export const dockerEngine = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('socket'), path: absolute }),
  z.strictObject({
    kind: z.literal('host'),
    host: z.string().min(1).max(255),
    port,
    tls: z.strictObject({ ca: absolute, certificate: absolute, key: absolute }).optional(),
  }),
]);

export const dockerPlatform = z.strictObject({
  driver: z.literal('docker'),
  engine: dockerEngine,
  adopt: z.strictObject({ project: short, service: short, image: short }).optional(),
  publish: z.string().min(1).max(255).optional(),
  ports: z.strictObject({ from: port, to: port }).optional(),
});

const target = { target: inside, readOnly: z.boolean() };

const mount = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bind'), source: inside, ...target }),
  z.strictObject({ kind: z.literal('volume'), source: short.optional(), ...target }),
  z.strictObject({
    kind: z.literal('tmpfs'),
    sizeBytes: bytes.optional(),
    mode: z.int().min(0).max(0o7777).optional(),
    ...target,
  }),
]);

const health = z.union([
  z.literal('off'),
  z.strictObject({
    test: z.array(text).max(most),
    intervalMs: ms.optional(),
    timeoutMs: ms.optional(),
    startPeriodMs: ms.optional(),
    retries: z.int().min(0).max(1000).optional(),
  }),
]);

const ulimit = z.strictObject({ name: short, soft: z.int().min(-1), hard: z.int().min(-1) });

const composeName = { project: short, service: short };

export const containerRun = z.strictObject({
  port,
  platform: imagePlatform.optional(),
  entrypoint: z.array(text).max(most).optional(),
  workingDirectory: inside.optional(),
  networks: z.array(z.strictObject({ name: short, aliases: texts })).max(100),
  mounts: z.array(mount).max(most),
  labels: map,
  readOnly: z.boolean(),
  capAdd: texts,
  capDrop: texts,
  noNewPrivileges: z.boolean(),
  init: z.boolean(),
  tty: z.boolean(),
  groups: texts,
  milliCpus: z.int().positive().optional(),
  cpuShares: z.int().positive().optional(),
  pids: z.union([z.int().positive(), z.literal(-1)]).optional(),
  shmBytes: bytes.optional(),
  memoryReservationBytes: bytes.optional(),
  memorySwapBytes: z.int().min(-1).optional(),
  ulimits: z.array(ulimit).max(100),
  sysctls: map,
  dns: texts,
  dnsSearch: texts,
  hosts: texts,
  stopSignal: short.optional(),
  log: z.strictObject({ driver: short.optional(), options: map }).optional(),
  health: health.optional(),
  compose: z.strictObject(composeName).optional(),
  needs: z.array(z.strictObject({ ...composeName, condition: z.enum(['started', 'healthy', 'completed']) })).max(100),
});
