// The shape of an NGINX router's specification as it comes over the wire or out of the store; its words become configuration.

import { isAbsolute } from 'node:path';
import * as z from 'zod';

const address = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[A-Za-z0-9.:_-]+$/),
  port: z.int().min(1).max(65_535),
});
const path = z
  .string()
  .min(1)
  .max(4096)
  .refine((text) => isAbsolute(text) && !/[\s"'$;{}\\*?[\]#\0]/.test(text), { error: 'no plain absolute path' });
const command = z.array(z.string().max(32_768)).min(1).max(1000);
const header = z.string().regex(/^[a-z0-9-]{1,128}$/);
const cookie = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const durationMs = z.int().min(1).max(86_400_000);

export const nginxSpecShape = z.strictObject({
  driver: z.literal('nginx'),
  listen: address,
  preview: address.optional(),
  reachAt: address.optional(),
  serverName: z
    .string()
    .regex(/^[A-Za-z0-9*~_.-]{1,253}(?: [A-Za-z0-9*~_.-]{1,253}){0,31}$/)
    .optional(),
  tls: z.strictObject({ certificate: path, key: path }).optional(),
  include: path,
  includeInside: path.optional(),
  program: command,
  container: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/)
    .optional(),
  pidFile: path.optional(),
  commands: z.strictObject({ test: command.optional(), reload: command.optional() }).optional(),
  by: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('request') }),
    z.strictObject({ kind: z.literal('address') }),
    z.strictObject({ kind: z.literal('header'), name: header }),
    z.strictObject({ kind: z.literal('cookie'), name: cookie }),
  ]),
  accessLog: path.optional(),
  feedHost: z.string().regex(/^[0-9A-Fa-f.:]{2,45}$/),
  limits: z.strictObject({ headerBytes: z.int().positive(), idleMs: durationMs, answerMs: durationMs }),
  trustForwarded: z.boolean(),
});
