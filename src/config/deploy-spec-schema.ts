// Checks a deployment's specification that came over the wire or out of the store; its type is exactly `DeploySpec`.

import { isAbsolute } from 'node:path';
import * as z from 'zod';
import type { DeploySpec } from '../core/plan/spec.ts';
import { confidencePoints } from '../core/decision/confidence.ts';
import { criticalities } from '../core/decision/factors/blast-radius.ts';
import { allTraffic } from '../core/routes.ts';
import { containerRun, dockerEngine, dockerPlatform, imagePlatform } from './container-spec-schema.ts';
import { metricSourcesShape, queryCheckShape, textOrSecret } from './metrics-spec-schema.ts';
import { nginxSpecShape } from './nginx-spec-schema.ts';
import { specProblems } from './rules/spec-rules.ts';

const longestText = 131_072;
const text = z.string().max(longestText);
const shortText = z.string().min(1).max(4096);
const absolute = shortText.refine((path) => isAbsolute(path) && !path.includes('\0'), {
  error: 'not an absolute path',
});
const requestTarget = z
  .string()
  .max(4096)
  .regex(/^(?:\/|https?:\/\/)\S*$/, { error: 'neither a path nor a URL' });
const durationMs = z
  .int()
  .min(0)
  .max(400 * 86_400_000);
const count = z.int().min(0).max(1_000_000_000);
const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
const address = { host: z.string().min(1).max(255), port: z.int().min(0).max(65_535) };
const listen = z.strictObject(address);

const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('directory'), directory: absolute, ignore: z.array(shortText).max(1000) }),
  z.strictObject({
    kind: z.literal('image'),
    reference: shortText,
    engine: dockerEngine,
    platform: imagePlatform.optional(),
  }),
]);

const commandOrNone = z.array(z.string().max(32_768)).max(1000);
const command = commandOrNone.min(1);

const reference = z.union([
  z.strictObject({ fromFile: absolute }),
  z.strictObject({ fromEnvironment: shortText }),
  z.strictObject({ fromVariables: absolute, name: shortText }),
]);

const run = z.strictObject({
  // That only a container has a command without being given one, the rules say.
  command: commandOrNone,
  environment: z.record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
    z.union([text, reference, z.strictObject({ joined: z.array(z.union([text, reference])).max(1000) })]),
  ),
  workingDirectory: shortText,
  user: shortText.optional(),
  limits: z.strictObject({ memoryBytes: z.int().positive().optional(), openFiles: z.int().positive().optional() }),
  container: containerRun.optional(),
});

const health = z.strictObject({
  path: shortText.optional(),
  intervalMs: durationMs.min(1),
  withinMs: durationMs.min(1),
  timeoutMs: durationMs.min(1),
  successes: z.int().min(1).max(1000),
});

const limits = { withinMs: durationMs.min(1), attempts: z.int().min(1).max(1000), pauseMs: durationMs };

const status = z.strictObject({ from: z.int().min(100).max(599), to: z.int().min(100).max(599) });

const validationCheckSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('http'),
    url: requestTarget,
    method: z.string().regex(/^[A-Z]{1,16}$/),
    headers: z.record(z.string().max(256), textOrSecret),
    body: text.optional(),
    status: z.array(status).min(1).max(100),
    expectHeaders: z.record(z.string().max(256), z.string().max(8192)),
    expectJson: z.record(z.string().max(512), z.union([z.string().max(8192), z.number(), z.boolean(), z.null()])),
    contains: text.optional(),
    concurrency: z.int().min(1).max(1000),
    ...limits,
  }),
  z.strictObject({ kind: z.literal('tcp'), ...address, ...limits }),
  z.strictObject({ kind: z.literal('command'), command, workingDirectory: absolute, ...limits }),
  z.strictObject({ kind: z.literal('openapi'), url: requestTarget, maxPaths: z.int().min(1).max(1000), ...limits }),
]);

const relativeMetric = z.enum(['errorRate', 'availability', 'p50', 'p95', 'p99']);

const fraction = z.number().min(0).max(1);

const marginsRow = z.strictObject({
  upToShare: z.int().min(1).max(allTraffic),
  errors: fraction,
  p95: fraction,
  p99: fraction,
});

const statisticalGate = z.strictObject({
  alpha: fraction,
  beta: fraction,
  margins: z.tuple([marginsRow], marginsRow),
  warmUpMs: durationMs,
  latencyFloorMs: durationMs,
  minBadEvents: z.int().min(1).max(1000),
  guard: z.strictObject({ rate: fraction.optional(), memory: count }),
  burst: z.strictObject({ least: z.number().min(1), most: z.number().min(1) }),
  capital: z.strictObject({ errors: fraction, latency: fraction, guard: fraction }),
  forgetMs: durationMs,
  splitAlpha: fraction,
});

const counterFeed = z.strictObject({
  source: shortText,
  selection: z.strictObject({
    requests: text,
    errors: text,
    buckets: text.optional(),
    unitMs: z.number().positive(),
    instance: shortText,
  }),
  intervalMs: durationMs.min(1),
});

const gateCheckSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('statistical'),
    preset: shortText,
    gate: statisticalGate,
    counters: counterFeed.optional(),
  }),
  z.strictObject({
    kind: z.literal('absolute'),
    metric: z.enum([...relativeMetric.options, 'requestRate']),
    bound: z.enum(['max', 'min']),
    limit: z.number().min(0),
    minSamples: count,
  }),
  z.strictObject({
    kind: z.literal('relative'),
    metric: relativeMetric,
    unit: z.enum(['points', 'factor']),
    limit: z.number().min(0),
    minSamples: count,
  }),
  queryCheckShape,
]);

const gates = z.array(gateCheckSchema).max(100);
const promotion = z.enum(['automatic', 'manual']);
const equals = z.string().max(4096);

const strategy = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('canary'),
    stages: z
      .array(z.strictObject({ share: z.int().min(1).max(allTraffic), holdMs: durationMs, requests: count }))
      .min(1)
      .max(100),
    maxHoldMs: durationMs,
    keepOldMs: durationMs,
    promotion,
    sticky: z.strictObject({ cookie: shortText, maxAgeMs: durationMs }).optional(),
    match: z
      .array(z.union([z.strictObject({ header: shortText, equals }), z.strictObject({ cookie: shortText, equals })]))
      .max(100),
  }),
  z.strictObject({
    kind: z.literal('blue-green'),
    switchDelayMs: durationMs,
    observeMs: durationMs,
    keepOldMs: durationMs,
    promotion,
  }),
  z.strictObject({
    kind: z.literal('rolling'),
    maxSurge: z.int().min(0).max(1000),
    maxUnavailable: z.int().min(0).max(1000),
    observeMs: durationMs,
  }),
]);

const port = z.int().min(1).max(65_535);

const platform = z.discriminatedUnion('driver', [
  z.strictObject({ driver: z.literal('process'), ports: z.strictObject({ from: port, to: port }).optional() }),
  dockerPlatform,
  z.strictObject({ driver: z.literal('memory') }),
]);

/** A host as it may stand in a router's configuration. */
const plainHost = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9:][A-Za-z0-9._:-]*$/);
const connect = z.strictObject({ host: plainHost, port: z.int().min(1).max(65_535) });

const haproxy = z.strictObject({
  driver: z.literal('haproxy'),
  listen: connect,
  preview: connect.optional(),
  directory: absolute,
  socket: z.union([z.strictObject({ path: absolute }), connect]),
  reload: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('pidFile'), path: absolute }),
    z.strictObject({ kind: z.literal('container'), container: z.string().regex(/^[A-Za-z0-9][\w.-]{0,254}$/) }),
    z.strictObject({ kind: z.literal('command'), command }),
  ]),
  check: command.optional(),
  feed: z.strictObject({ listen: connect, reach: connect }),
  limits: z.strictObject({ idleMs: durationMs.min(1), answerMs: durationMs.min(1) }),
  trustForwarded: z.boolean(),
});

const router = z.discriminatedUnion('driver', [
  z.strictObject({
    driver: z.literal('embedded'),
    listen,
    preview: listen.optional(),
    tls: z.strictObject({ certificate: absolute, key: absolute }).optional(),
    limits: z.strictObject({ headerBytes: z.int().positive(), idleMs: durationMs.min(1), answerMs: durationMs.min(1) }),
    trustForwarded: z.boolean(),
  }),
  haproxy,
  nginxSpecShape,
  z.strictObject({ driver: z.literal('memory') }),
]);

const percent = z.int().min(0).max(100);

const confidence = z.strictObject({
  at: z.array(z.enum(confidencePoints)).min(1).max(confidencePoints.length),
  criticality: z.enum(criticalities),
  goOn: percent,
  ask: percent,
  weights: z.strictObject({
    safety: percent,
    health: percent,
    blastRadius: percent,
    history: percent,
    complexity: percent,
    coverage: percent,
  }),
});

/** The shape alone, without the rules between settings. */
export const deploySpecShape = z.strictObject({
  scope: z.strictObject({ service: name, environment: name }),
  source,
  run,
  instances: z.int().min(1).max(1000),
  minAvailable: z.int().min(0).max(1000),
  health,
  validation: z.array(validationCheckSchema).max(200),
  strategy,
  gates,
  metrics: metricSourcesShape.optional(),
  watch: z.strictObject({ forMs: durationMs, checks: gates, healthFailingMs: durationMs }),
  confidence: confidence.optional(),
  platform,
  router,
  drainMs: durationMs,
  stopGraceMs: durationMs,
  keepReleases: z.int().min(0).max(10_000),
});

/** Shape and rules; the rules' problems carry the path of the setting in the configuration. */
export const deploySpecSchema: z.ZodType<DeploySpec> = deploySpecShape.superRefine((spec, context) => {
  for (const { path, message, remedy } of specProblems(spec)) {
    context.addIssue({ code: 'custom', path: [...path], message: `${message}. ${remedy}` });
  }
});
