// Steps: what a plan is made of. Each step belongs to one state of the machine and is carried out by at most one effect.

import type { ReleaseId } from '../release.ts';
import type { ConfidencePoint } from '../decision/confidence.ts';
import type { GateCheck } from '../gate/check.ts';

/** Which release a step is about: the one on trial, or the one that is trusted. */
export type Role = 'candidate' | 'stable';

/** Each instance by itself, the preview address, or the service as its users reach it. */
export type Through = 'instances' | 'preview' | 'service';

export type Step =
  /** Copy the release into the release store. */
  | { readonly kind: 'stage' }
  /** Make `instances` copies of the release run and wait until all are healthy. */
  | { readonly kind: 'start'; readonly role: Role; readonly instances: number; readonly timeoutMs: number }
  /** Ask whether the release does what it should. */
  | { readonly kind: 'validate'; readonly role: Role; readonly through: Through; readonly checks: number }
  /** Show the release at the preview address. */
  | { readonly kind: 'preview'; readonly role: Role }
  /** Wait, doing nothing. */
  | { readonly kind: 'wait'; readonly forMs: number; readonly why: string }
  /** Give the candidate this share of traffic, in basis points; stable has the rest. */
  | { readonly kind: 'shift'; readonly share: number }
  /** Take instances of the release out of traffic so that exactly `keep` stay in, and let their requests in flight end. */
  | { readonly kind: 'drain'; readonly role: Role; readonly keep: number; readonly withinMs: number }
  /** Stop instances of the release that are out of traffic, so that exactly `keep` stay. */
  | { readonly kind: 'stop'; readonly role: Role; readonly keep: number; readonly graceMs: number }
  /** Stay at this share until time, requests and gates allow going on. */
  | HoldStep
  /** The candidate becomes stable. */
  | { readonly kind: 'promote'; readonly keepOldMs: number };

export interface HoldStep {
  readonly kind: 'hold';
  /** `stage 2 of 4`, `behind the switch`, `after batch 1 of 3`. */
  readonly name: string;
  readonly atLeastMs: number;
  readonly requests: number;
  /** After this long without a conclusion it pauses for a person. */
  readonly maxMs: number;
  readonly checks: readonly GateCheck[];
  /** What an absence of samples means when the time is over: `hold` stays and asks a person, `pass` goes on (nothing failed). */
  readonly noData: 'hold' | 'pass';
  /** Whether a person has to promote after the gates passed. */
  readonly promotion: 'automatic' | 'manual';
  /** Whether the confidence score has to be high enough to go on behind this hold. */
  readonly confidence?: ConfidencePoint | undefined;
}

/** The release a step is about, as people read it. */
export function releaseOf(role: Role, candidate: ReleaseId, stable: ReleaseId | undefined): ReleaseId {
  return role === 'candidate' ? candidate : (stable ?? candidate);
}
