// What is said over the control socket and kept in the state file; both sides parse all of it.

import * as z from 'zod';

import { type FailureCode, failureCatalogue } from '../../../../base/failure-catalogue.ts';
import type { FailureData } from '../../../../base/failure.ts';
import type { EmbeddedRouterSpec } from '../../../../core/plan/spec.ts';
import { allTraffic, type Routes } from '../../../../core/routes.ts';

/** Both sides must speak the same version; it changes when a message does. */
export const protocolVersion = 1;

/** Longest message; routes with thousands of endpoints fit. */
export const messageBytesMax = 8 * 1024 * 1024;

const name = z.string().min(1).max(256);
/** Goes into heads, so it may hold nothing that ends a line or a field. */
const token = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/);
const address = z.object({ host: z.string().min(1).max(255), port: z.int().min(1).max(65_535) });
const durationMs = z.int().min(1).max(2_000_000_000);

const scopeSchema = z.object({ service: name, environment: name });

const match = z.union([
  z.object({ header: token.toLowerCase(), equals: z.string().max(4096) }),
  z.object({ cookie: token, equals: z.string().max(4096) }),
]);

export const routesSchema: z.ZodType<Routes> = z
  .object({
    scope: scopeSchema,
    revision: z.int().min(0),
    groups: z
      .array(
        z.object({
          release: name,
          share: z.int().min(0).max(allTraffic),
          endpoints: z.array(z.object({ instance: name, address })).max(10_000),
        }),
      )
      .max(64),
    rules: z.array(z.object({ release: name, match })).max(256),
    sticky: z.object({ cookie: token, maxAgeMs: z.number().min(0).max(1e13) }).optional(),
    preview: name.optional(),
    health: z
      .object({
        path: z
          .string()
          .regex(/^\/[\u0021-\u007e]*$/)
          .max(2048),
        intervalMs: durationMs,
        timeoutMs: durationMs,
      })
      .optional(),
  })
  .refine((routes) => [0, allTraffic].includes(routes.groups.reduce((sum, group) => sum + group.share, 0)), {
    message: `the shares must add up to ${allTraffic} or to 0`,
    path: ['groups'],
  })
  .refine((routes) => new Set(routes.groups.map((group) => group.release)).size === routes.groups.length, {
    message: 'a release may be in one group only',
    path: ['groups'],
  });

export const settingsSchema: z.ZodType<EmbeddedRouterSpec> = z.object({
  driver: z.literal('embedded'),
  listen: address,
  preview: address.optional(),
  tls: z.object({ certificate: z.string().min(1), key: z.string().min(1) }).optional(),
  limits: z.object({
    headerBytes: z.int().min(256).max(1_048_576),
    idleMs: durationMs,
    answerMs: durationMs,
  }),
  trustForwarded: z.boolean(),
});

export const requestSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello') }),
  z.object({ kind: z.literal('apply'), settings: settingsSchema, routes: routesSchema }),
  z.object({ kind: z.literal('read') }),
  z.object({ kind: z.literal('feed') }),
  z.object({
    kind: z.literal('drain'),
    instances: z.array(name).max(10_000),
    withinMs: z.number().min(0).max(2_000_000_000),
  }),
  z.object({ kind: z.literal('stop'), graceMs: z.number().min(0).max(2_000_000_000) }),
]);

export type ControlRequest = z.infer<typeof requestSchema>;

export const envelopeSchema = z.object({ protocol: z.int(), request: z.unknown() });

const codes = Object.keys(failureCatalogue) as FailureCode[];

const failureSchema = z.object({
  code: z.enum(codes),
  message: z.string(),
  remedy: z.string(),
  at: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
}) satisfies z.ZodType<FailureData>;

/** The one line that answers a request; `value` depends on the request. */
export const replySchema = z.union([z.object({ value: z.unknown() }), z.object({ failure: failureSchema })]);

/** A process beyond its pid, which another process may have by now. */
export const processSchema = z.object({
  pid: z.int().min(1),
  /** In the system's own words; empty where it does not tell. */
  startTime: z.string(),
  boot: z.string(),
});

export type ProxyProcess = z.infer<typeof processSchema>;

export const helloSchema = z.object({
  scope: scopeSchema,
  process: processSchema,
  settings: settingsSchema,
  /** Of the routes in force. */
  revision: z.int().optional(),
});

export type Hello = z.infer<typeof helloSchema>;

export const readSchema = z.object({ routes: routesSchema.optional() });
export const drainSchema = z.object({ left: z.int().min(0) });
export const emptySchema = z.object({});

/** What the proxy needs to be the same again after it was killed. Only the proxy that holds the lock writes it. */
export const stateSchema = z.object({
  version: z.literal(1),
  scope: scopeSchema,
  settings: settingsSchema,
  /** Makes the values of the cookies that keep visitors; without it they cannot be guessed from a release's name. */
  cookieKey: z.string().min(16),
  routes: routesSchema.optional(),
  process: processSchema,
});

export type ProxyState = z.infer<typeof stateSchema>;

/** The start order for a proxy, its only argument. */
export const orderSchema = z.object({
  directory: z.string().min(1),
  socket: z.string().min(1),
  scope: scopeSchema,
  /** Undefined: those it had. */
  settings: settingsSchema.optional(),
});

export type StartOrder = z.infer<typeof orderSchema>;

/** What a starting proxy says on its report pipe before it closes it. */
export const reportSchema = z.union([
  z.object({ kind: z.literal('ready') }),
  /** Another one has the lock. */
  z.object({ kind: z.literal('running') }),
  z.object({ kind: z.literal('failed'), failure: failureSchema }),
]);

export type StartReport = z.infer<typeof reportSchema>;
