// What the process platform remembers of an instance, as it lies on disk.

import * as z from 'zod';

const Identity = z.object({ pid: z.int().positive(), startTime: z.string(), boot: z.string() });

export const InstanceRecord = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  scope: z.object({ service: z.string(), environment: z.string() }),
  release: z.string(),
  deployment: z.string(),
  port: z.int().min(1).max(65_535),
  /**
   * `starting`: the process may or may not exist; it is found by its token. `started`: `process` names it. `ending`: Sluice asked
   * it to end. `ended`: Sluice ended it; only its output is kept.
   */
  phase: z.enum(['starting', 'started', 'ending', 'ended']),
  /** Fresh for every start; the process carries it in its environment. */
  token: z.string(),
  startedAt: z.number(),
  restarts: z.int().nonnegative(),
  /** The process of the last start; undefined when none was found. */
  process: Identity.optional(),
  endedAt: z.number().optional(),
});

export type InstanceRecord = Readonly<z.infer<typeof InstanceRecord>>;

/** Why the process of one start ended, written by the controller that saw it. */
export const ExitRecord = z.object({ token: z.string(), exit: z.string() });
