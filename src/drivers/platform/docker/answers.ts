// What Sluice reads of the engine's answers; everything else in them is left alone.

import * as z from 'zod';

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((given) => given ?? {});

export const version = z.object({ Version: z.string(), ApiVersion: z.string(), Os: z.string(), Arch: z.string() });

export const containerList = z
  .array(
    z.object({
      Id: z.string(),
      Names: z.array(z.string()).nullish(),
      Labels: labels,
      State: z.string(),
      Ports: z.array(z.object({ PublicPort: z.int().optional() })).nullish(),
    }),
  )
  .max(100_000);

const binding = z.object({ HostIp: z.string().optional(), HostPort: z.string() });

/** Where a port of a container is published. */
export type Binding = z.infer<typeof binding>;

export const container = z.object({
  Id: z.string(),
  Name: z.string(),
  Created: z.string(),
  Image: z.string(),
  State: z.object({
    Status: z.string(),
    ExitCode: z.int(),
    Error: z.string().optional(),
    OOMKilled: z.boolean().optional(),
    StartedAt: z.string(),
    FinishedAt: z.string().optional(),
    Health: z
      .object({
        Status: z.string(),
        Log: z.array(z.object({ ExitCode: z.int(), Output: z.string() })).nullish(),
      })
      .nullish(),
  }),
  Config: z.object({ Labels: labels, Tty: z.boolean().optional(), Env: z.array(z.string()).nullish() }),
  NetworkSettings: z
    .object({
      Ports: z.record(z.string(), z.array(binding).nullish()).nullish(),
      Networks: z.record(z.string(), z.object({ IPAddress: z.string().optional() }).nullish()).nullish(),
    })
    .optional(),
  HostConfig: z.object({
    NetworkMode: z.string().optional(),
    PortBindings: z.record(z.string(), z.array(binding).nullish()).nullish(),
  }),
});

export type Container = z.infer<typeof container>;

export const image = z.object({
  Id: z.string(),
  RepoTags: z.array(z.string()).nullish(),
  RepoDigests: z.array(z.string()).nullish(),
  Os: z.string(),
  Architecture: z.string(),
  Variant: z.string().optional(),
  Size: z.int().optional(),
});

export type Image = z.infer<typeof image>;

export const distribution = z.object({
  Descriptor: z.object({ digest: z.string() }),
  Platforms: z
    .array(z.object({ os: z.string().optional(), architecture: z.string().optional(), variant: z.string().optional() }))
    .nullish(),
});

export const network = z.object({ Id: z.string(), Name: z.string(), Labels: labels });
export const networkList = z.array(network);
export const created = z.object({ Id: z.string(), Warnings: z.array(z.string()).nullish() });
