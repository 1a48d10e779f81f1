// Schemas of every reply and stream item of a controller, as far as a client has to be sure of them.

import * as z from 'zod';
import type { Judgement } from '../core/gate/verdict.ts';
import type { Instance, LogLine } from '../core/instance.ts';
import { type Plan, type PlannedStep, strategyNames } from '../core/plan/plan.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import type { Release } from '../core/release.ts';
import type { EffectAction } from '../core/rollout/effect.ts';
import type { EventRecord, RecordedEvent } from '../core/rollout/record.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Situation } from '../core/rollout/situation.ts';
import { statuses } from '../core/rollout/status.ts';
import type { Routes } from '../core/routes.ts';
import type { Scope } from '../core/scope.ts';
import type { CheckOutcome } from '../core/validation/check.ts';
import type {
  DeploymentDetail,
  LiveNumbers,
  PlanAnswer,
  PruneAnswer,
  RemoveAnswer,
  ScopeStatus,
  StreamItem,
} from '../engine/controller.ts';
import type { Lease } from '../ports/store.ts';
import { outer, passing } from './outer-schema.ts';

const scope = outer<Scope>({ service: z.string(), environment: z.string() });
const status = z.enum(statuses);

const plan = outer<Plan>({
  scope,
  strategy: z.enum(strategyNames),
  candidate: passing<Release>(),
  stableInstances: z.number(),
  steps: z.array(passing<PlannedStep>()),
  back: z.array(passing<PlannedStep>()),
  spec: passing<DeploySpec>(),
  longestMs: z.number(),
});

export const planAnswer = outer<PlanAnswer>({ plan, digest: z.string() });

export const rollout = outer<Rollout>({
  id: z.string(),
  plan,
  version: z.number(),
  status,
  course: z.enum(['forward', 'back']),
  step: z.number(),
  stepDone: z.boolean(),
  queue: z.array(passing<EffectAction>()),
  effects: z.number(),
  share: z.number(),
  preview: z.boolean(),
  promoted: z.boolean(),
  revision: z.number(),
  fleet: passing<Rollout['fleet']>(),
  judgements: z.array(passing<Rollout['judgements'][number]>()),
  createdAt: z.number(),
  createdBy: z.string(),
  at: z.number(),
  deadlineAt: z.number(),
});

export const rollouts = z.array(rollout);

const record = outer<EventRecord>({
  sequence: z.number(),
  at: z.number(),
  scope,
  deployment: z.string(),
  version: z.number(),
  from: status,
  to: status,
  actor: z.string(),
  event: passing<RecordedEvent>(),
  words: z.string(),
});

const live = outer<LiveNumbers>({
  at: z.number(),
  judgement: passing<Judgement>(),
  requestsPerSecond: z.number(),
});

export const scopeStatus = outer<ScopeStatus>({
  situation: passing<Situation>(),
  active: rollout.optional(),
  lease: passing<Lease>().optional(),
  attended: z.boolean(),
  instances: z.array(passing<Instance>()),
  routes: passing<Routes>().optional(),
  live: live.optional(),
});

export const scopeStatuses = z.array(scopeStatus);

export const deploymentDetail = outer<DeploymentDetail>({ rollout, records: z.array(record) });

export const streamItem: z.ZodType<StreamItem> = z.union([
  outer<Extract<StreamItem, { kind: 'record' }>>({ kind: z.literal('record'), record }),
  outer<Extract<StreamItem, { kind: 'live' }>>({ kind: z.literal('live'), scope, deployment: z.string(), live }),
]);

export const logLine = outer<LogLine>({
  release: z.string(),
  instance: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
});

const checkOutcome = outer<CheckOutcome>({
  name: z.string(),
  passed: z.boolean(),
  attempts: z.number(),
  durationMs: z.number(),
  reason: z.string(),
});

export const checkOutcomes = z.array(checkOutcome);

export const pruneAnswer = outer<PruneAnswer>({
  releases: z.array(outer<PruneAnswer['releases'][number]>({ id: z.string(), bytes: z.number() })),
  instances: z.array(z.string()),
  dryRun: z.boolean(),
});

export const removeAnswer = outer<RemoveAnswer>({ instances: z.array(z.string()), releases: z.array(z.string()) });
