// What the parts of the router contract share: what a driver's test provides, and the routes that the tests apply.

import type { TestContext } from 'node:test';

import type { Endpoint, RouteGroup, Routes } from '../core/routes.ts';
import type { Scope } from '../core/scope.ts';
import type { Router } from './router.ts';

export interface ContractRequest {
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Send it to the preview address. */
  readonly preview?: boolean;
}

export interface ContractAnswer {
  readonly status: number;
  /** The id of the instance that answered; undefined where the router answered for it. */
  readonly instance: string | undefined;
  /** `name=value` of each cookie that the answer sets, without attributes. */
  readonly cookies: readonly string[];
}

/** A request that has reached its instance, which does not answer until `finish`. */
export interface HeldRequest {
  readonly instance: string;
  finish(): void;
  /** Resolves with the answer; rejects when the request was cut. */
  readonly answer: Promise<ContractAnswer>;
}

/** What a driver's test provides; made anew for each test. */
export interface RouterHarness {
  readonly router: Router;
  readonly scope: Scope;
  /** Starts something that answers 200 to every request and says that it is the instance of this id. */
  startInstance(id: string): Promise<Endpoint>;
  request(request?: ContractRequest): Promise<ContractAnswer>;
  hold(request?: ContractRequest): Promise<HeldRequest>;
  /** Ends everything that the harness started, the router included. */
  close(): Promise<void>;
}

export type Case = (harness: RouterHarness, context: TestContext) => Promise<void>;

/** Registers one test with a harness of its own. */
export type Within = (name: string, run: Case) => void;

export async function oneRelease(harness: RouterHarness, revision: number): Promise<Routes> {
  const endpoints = [await harness.startInstance('old-1')];
  return routesOf(harness, revision, [{ release: 'old', share: 10_000, endpoints }]);
}

export async function twoReleases(harness: RouterHarness): Promise<readonly [RouteGroup, RouteGroup]> {
  return [
    { release: 'old', share: 0, endpoints: [await harness.startInstance('old-1')] },
    { release: 'new', share: 0, endpoints: [await harness.startInstance('new-1')] },
  ];
}

export function withShare(group: RouteGroup, share: number): RouteGroup {
  return { ...group, share };
}

export function routesOf(harness: RouterHarness, revision: number, groups: readonly RouteGroup[]): Routes {
  return { scope: harness.scope, revision, groups, rules: [] };
}
