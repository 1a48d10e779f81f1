// The controller as server and CLI see it: everything a person can ask of Sluice, independent of how the request arrived.

import type { ReleaseFacts } from '../core/decision/facts.ts';
import type { Judgement } from '../core/gate/verdict.ts';
import type { Instance, LogLine } from '../core/instance.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import type { ReleaseId } from '../core/release.ts';
import type { Routes } from '../core/routes.ts';
import type { EventRecord } from '../core/rollout/record.ts';
import type { Command } from '../core/rollout/event.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Situation } from '../core/rollout/situation.ts';
import type { Scope } from '../core/scope.ts';
import type { CheckOutcome } from '../core/validation/check.ts';
import type { Lease } from '../ports/store.ts';

/** Who asks; recorded with everything that follows from it. */
export interface Asker {
  /** `user@host`. */
  readonly actor: string;
}

export interface DeployRequest extends Asker {
  readonly spec: DeploySpec;
  /** What people call this release; recorded, not part of its identity. */
  readonly label?: string | undefined;
  /** The digest of a plan printed before: refused with `plan.changed` when a new plan differs. */
  readonly planDigest?: string | undefined;
  /** What is known of the release, for its confidence scores. */
  readonly facts?: ReleaseFacts | undefined;
}

export interface RollbackRequest extends Asker {
  readonly scope: Scope;
  /** Undefined: the last known good release. */
  readonly to?: ReleaseId | undefined;
  readonly reason: string;
}

/** A plan with the digest by which `deploy` can be held to it. */
export interface PlanAnswer {
  readonly plan: Plan;
  readonly digest: string;
}

export type { Command };

/** All that can be said of one scope now. */
export interface ScopeStatus {
  readonly situation: Situation;
  readonly active?: Rollout | undefined;
  readonly lease?: Lease | undefined;
  /** Whether the holder of the lease still lives, as far as can be told from here. */
  readonly attended: boolean;
  readonly instances: readonly Instance[];
  /** As the router itself says; undefined where it has none or does not answer. */
  readonly routes?: Routes | undefined;
  /** The newest numbers of the hold in progress, or of the watch. */
  readonly live?: LiveNumbers | undefined;
}

export interface LiveNumbers {
  readonly at: number;
  readonly judgement: Judgement;
  readonly requestsPerSecond: number;
}

/** What the event stream tells: records as they are committed, and live numbers in between (not kept). */
export type StreamItem =
  | { readonly kind: 'record'; readonly record: EventRecord }
  | { readonly kind: 'live'; readonly scope: Scope; readonly deployment: string; readonly live: LiveNumbers };

export interface StreamQuery {
  readonly scope?: Scope | undefined;
  readonly deployment?: string | undefined;
  /** Begin with kept records after this sequence number; undefined: only what happens from now on. */
  readonly after?: number | undefined;
}

export interface LogsRequest {
  readonly scope: Scope;
  readonly release?: ReleaseId | undefined;
  readonly instance?: string | undefined;
  readonly lastLines: number;
  readonly follow: boolean;
}

export interface ValidateRequest {
  readonly spec: DeploySpec;
  /** `service`: through the router; `preview` is the release on trial, asked at its instances. */
  readonly through: 'service' | 'preview';
}

export interface PruneRequest extends Asker {
  /** Undefined: every scope that the store knows. */
  readonly scope?: Scope | undefined;
  readonly dryRun: boolean;
}

export interface PruneAnswer {
  readonly releases: readonly { readonly id: ReleaseId; readonly bytes: number }[];
  /** Instances of dead deployments that were stopped. */
  readonly instances: readonly string[];
  readonly dryRun: boolean;
}

export interface RemoveRequest extends Asker {
  readonly scope: Scope;
  readonly reason: string;
}

/** What was stopped. */
export interface RemoveAnswer {
  readonly instances: readonly string[];
  readonly releases: readonly ReleaseId[];
}

export interface HistoryQuery {
  readonly scope?: Scope | undefined;
  readonly limit: number;
}

/** One deployment with all its records. */
export interface DeploymentDetail {
  readonly rollout: Rollout;
  readonly records: readonly EventRecord[];
}

export interface Controller {
  plan(request: DeployRequest): Promise<PlanAnswer>;
  /** Resolves when the deployment is committed and under way; follow it with `stream`. */
  deploy(request: DeployRequest): Promise<Rollout>;
  planRollback(request: RollbackRequest): Promise<PlanAnswer>;
  rollback(request: RollbackRequest): Promise<Rollout>;
  /** Gives a command to the active deployment of a scope; resolves with the state that it led to. */
  command(scope: Scope, command: Command, asker: Asker): Promise<Rollout>;
  status(scope?: Scope): Promise<readonly ScopeStatus[]>;
  history(query: HistoryQuery): Promise<readonly Rollout[]>;
  detail(deployment: string): Promise<DeploymentDetail>;
  stream(query: StreamQuery, signal: AbortSignal): AsyncIterable<StreamItem>;
  logs(request: LogsRequest, signal: AbortSignal): AsyncIterable<LogLine>;
  validate(request: ValidateRequest, signal: AbortSignal): Promise<readonly CheckOutcome[]>;
  prune(request: PruneRequest): Promise<PruneAnswer>;
  /**
   * Takes a service away and resolves when nothing of it runs or is routed. Its record stays. Where it rejects on the way it may be
   * asked again; a server goes on with it by itself. Rejects with `service.unknown`, `deployment.locked` …
   */
  remove(request: RemoveRequest): Promise<RemoveAnswer>;
  /**
   * Ends the controller. `leave`: what is under way is left as it is, for the next controller to take up. `settle`: what is under
   * way goes back first, so that nothing unproven keeps traffic.
   */
  close(mode: 'leave' | 'settle'): Promise<void>;
}
