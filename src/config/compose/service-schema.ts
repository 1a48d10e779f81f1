// The shape of a service in a Compose file, after its variables were put in; `environment` is read by itself, with its variables.

import * as z from 'zod';
import {
  bytes,
  command,
  decimal,
  duration,
  flag,
  hosts,
  longText,
  pairs,
  scalar,
  textOrList,
  whole,
} from './values.ts';

const networkOptions = z
  .strictObject({ aliases: z.array(longText).max(100).optional(), priority: whole.optional() })
  .nullable();

const networks = z.union([
  z
    .array(longText)
    .max(100)
    .transform((names) => Object.fromEntries(names.map((name) => [name, null]))),
  z.record(z.string(), networkOptions),
]);

const mountObject = z.strictObject({
  type: longText,
  source: longText.optional(),
  target: longText,
  read_only: flag.optional(),
  consistency: longText.optional(),
  bind: z.strictObject({ create_host_path: flag.optional() }).optional(),
  tmpfs: z.strictObject({ size: bytes.optional(), mode: whole.optional() }).optional(),
  // `docker compose config` prints an empty one; nothing that can stand in it is honoured.
  volume: z.strictObject({}).optional(),
});

const fileReference = z.union([
  longText.transform((source) => ({ source, target: undefined })),
  z.strictObject({ source: longText, target: longText.optional() }),
]);

/** Its port in the container, with its protocol where one is said. */
const port = z.union([
  scalar.transform((text) => text.split(':').at(-1) ?? ''),
  z
    .looseObject({ target: whole, protocol: longText.default('tcp') })
    .transform(({ target, protocol }) => `${target}/${protocol}`),
]);

const ulimit = z.union([
  whole.transform((both) => ({ soft: both, hard: both })),
  z.strictObject({ soft: whole, hard: whole }),
]);

type Condition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

const condition: z.ZodType<Condition> = z.enum([
  'service_started',
  'service_healthy',
  'service_completed_successfully',
]);

const dependsOn = z.union([
  z
    .array(longText)
    .max(100)
    .transform((names): Record<string, { condition: Condition; required: boolean }> =>
      Object.fromEntries(names.map((name) => [name, { condition: 'service_started', required: true }])),
    ),
  z.record(
    z.string(),
    z.strictObject({
      condition: condition.default('service_started'),
      restart: flag.optional(),
      required: flag.default(true),
    }),
  ),
]);

const healthcheck = z.strictObject({
  test: z.union([longText, z.array(scalar).max(1000)]).optional(),
  interval: duration.optional(),
  timeout: duration.optional(),
  start_period: duration.optional(),
  retries: whole.optional(),
  disable: flag.optional(),
});

const limits = z.strictObject({ cpus: decimal.optional(), memory: bytes.optional(), pids: whole.optional() });

/** What Compose reads of `deploy` outside a swarm; the rest it leaves alone, and so does Sluice. */
const deploy = z.looseObject({
  replicas: whole.optional(),
  mode: longText.optional(),
  resources: z
    .strictObject({
      limits: limits.optional(),
      reservations: z.strictObject({ cpus: decimal.optional(), memory: bytes.optional() }).optional(),
    })
    .optional(),
});

const envFile = z.union([
  longText.transform((path) => ({ path, required: true })),
  z.strictObject({ path: longText, required: flag.default(true) }),
]);

export const serviceSchema = z.strictObject({
  image: longText.optional(),
  command: command.nullish(),
  entrypoint: command.nullish(),
  env_file: z.union([envFile.transform((one) => [one]), z.array(envFile).max(100)]).optional(),
  volumes: z
    .array(z.union([longText, mountObject]))
    .max(1000)
    .optional(),
  tmpfs: textOrList.optional(),
  networks: networks.nullish(),
  network_mode: longText.optional(),
  healthcheck: healthcheck.optional(),
  labels: pairs.optional(),
  depends_on: dependsOn.optional(),
  secrets: z.array(fileReference).max(100).optional(),
  configs: z.array(fileReference).max(100).optional(),
  ports: z.array(port).max(1000).optional(),
  expose: z.array(scalar).max(1000).optional(),
  deploy: deploy.optional(),
  scale: whole.optional(),
  mem_limit: bytes.optional(),
  mem_reservation: bytes.optional(),
  memswap_limit: bytes.optional(),
  cpus: decimal.optional(),
  cpu_shares: whole.optional(),
  pids_limit: whole.optional(),
  shm_size: bytes.optional(),
  ulimits: z.record(z.string(), ulimit).optional(),
  user: scalar.optional(),
  working_dir: longText.optional(),
  read_only: flag.optional(),
  cap_add: z.array(longText).max(100).optional(),
  cap_drop: z.array(longText).max(100).optional(),
  security_opt: z.array(longText).max(100).optional(),
  privileged: flag.optional(),
  init: flag.optional(),
  tty: flag.optional(),
  group_add: z.array(scalar).max(100).optional(),
  sysctls: pairs.optional(),
  dns: textOrList.optional(),
  dns_search: textOrList.optional(),
  extra_hosts: hosts.optional(),
  stop_signal: longText.optional(),
  stop_grace_period: duration.optional(),
  logging: z.strictObject({ driver: longText.optional(), options: pairs.optional() }).optional(),
  platform: longText.optional(),
  pull_policy: longText.optional(),
});

export type ComposeService = z.output<typeof serviceSchema>;

/** A network or a volume of the whole file. */
const named = z.looseObject({
  name: longText.optional(),
  external: z.union([flag, z.strictObject({ name: longText })]).optional(),
});

const fileSource = z.looseObject({
  file: longText.optional(),
  external: z.unknown().optional(),
  name: longText.optional(),
});

/** The rest of the file. Other services are looked at only where this one depends on them. */
export const fileSchema = z.looseObject({
  name: longText.optional(),
  services: z.record(z.string(), z.unknown()),
  networks: z.record(z.string(), named.nullable()).nullish(),
  volumes: z.record(z.string(), named.nullable()).nullish(),
  secrets: z.record(z.string(), fileSource).nullish(),
  configs: z.record(z.string(), fileSource).nullish(),
});

export type ComposeFile = z.output<typeof fileSchema>;
