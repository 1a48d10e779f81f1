// The specification of a deployment: the configuration of one environment, resolved to absolute paths, milliseconds and basis points.

import type { ConfidencePolicy } from '../decision/confidence.ts';
import type { GateCheck } from '../gate/check.ts';
import type { MetricSource } from '../metrics/source.ts';
import type { RunSpec } from '../release.ts';
import type { RouteMatch, Stickiness } from '../routes.ts';
import type { Scope } from '../scope.ts';
import type { ValidationCheck } from '../validation/check.ts';

/** Where the files of the release come from. */
export type ReleaseSource =
  | { readonly kind: 'directory'; /** Absolute. */ readonly directory: string; readonly ignore: readonly string[] }
  | {
      readonly kind: 'image';
      readonly reference: string;
      /** The engine that has the image, or fetches it. */
      readonly engine: DockerEngineSpec;
      /** `linux/amd64`; undefined: whatever the engine runs. */
      readonly platform?: string | undefined;
    };

/** Where the Engine API of Docker (or Podman) is reached. */
export type DockerEngineSpec =
  | { readonly kind: 'socket'; /** Absolute. */ readonly path: string }
  | {
      readonly kind: 'host';
      readonly host: string;
      readonly port: number;
      /** PEM files, absolute. Undefined: in plain text. */
      readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string } | undefined;
    };

export interface HealthSpec {
  /** HTTP path that answers 2xx when the instance can serve; undefined: the port accepts connections. */
  readonly path?: string | undefined;
  readonly intervalMs: number;
  /** How long one request may take. */
  readonly withinMs: number;
  /** How long the instances may take to become healthy. */
  readonly timeoutMs: number;
  /** Answers in a row before an instance counts as healthy. */
  readonly successes: number;
}

export interface CanaryStage {
  /** Basis points of traffic for the candidate; the last stage is all traffic. */
  readonly share: number;
  /** Minimum time at this share. */
  readonly holdMs: number;
  /** Minimum number of finished requests of the candidate at this share. */
  readonly requests: number;
}

export interface CanaryStrategy {
  readonly kind: 'canary';
  readonly stages: readonly CanaryStage[];
  /** How long a stage may stay inconclusive before it pauses for a person. */
  readonly maxHoldMs: number;
  readonly promotion: 'automatic' | 'manual';
  readonly sticky?: Stickiness | undefined;
  /** Requests that go to the candidate as long as it is on trial, whatever its share. */
  readonly match: readonly RouteMatch[];
  /** How long the old release stays warm after the promotion. */
  readonly keepOldMs: number;
}

export interface BlueGreenStrategy {
  readonly kind: 'blue-green';
  /** Wait between pre-switch validation and the switch. */
  readonly switchDelayMs: number;
  /** How long the gates look on behind the switch before the release is promoted. */
  readonly observeMs: number;
  /** How long the old release stays warm after the promotion. */
  readonly keepOldMs: number;
  readonly promotion: 'automatic' | 'manual';
}

export interface RollingStrategy {
  readonly kind: 'rolling';
  /** New instances that may run beyond `instances` while rolling. */
  readonly maxSurge: number;
  /** Instances that may be missing while rolling. */
  readonly maxUnavailable: number;
  /** How long the gates look on after each batch. */
  readonly observeMs: number;
}

export type StrategySpec = CanaryStrategy | BlueGreenStrategy | RollingStrategy;

/** What starts a rollback by itself after a promotion. */
export interface WatchSpec {
  readonly forMs: number;
  readonly checks: readonly GateCheck[];
  /** Health failing for longer than this is a trigger. */
  readonly healthFailingMs: number;
}

/** Which platform runs the instances, with its settings. */
export type PlatformSpec = ProcessPlatformSpec | DockerPlatformSpec | { readonly driver: 'memory' };

export interface ProcessPlatformSpec {
  readonly driver: 'process';
  /** Instances take the lowest free port of these; undefined: any of the usual ones. */
  readonly ports?: { readonly from: number; readonly to: number } | undefined;
}

/** Containers of Compose that a deployment takes over as they run, instead of starting its own. */
export interface AdoptSpec {
  readonly project: string;
  readonly service: string;
  /** What they have to run. */
  readonly image: string;
}

export interface DockerPlatformSpec {
  readonly driver: 'docker';
  readonly engine: DockerEngineSpec;
  /** Said by `sluice adopt` only. With it, what Compose started is given back where it would be stopped. */
  readonly adopt?: AdoptSpec | undefined;
  /**
   * The address of the engine's machine on which the ports of instances are published, and at which routers reach them.
   * Undefined: they are not published, and reached at their own addresses on the first of their networks.
   */
  readonly publish?: string | undefined;
  /** Instances take the lowest free port of these; undefined: any free one. */
  readonly ports?: { readonly from: number; readonly to: number } | undefined;
}

export interface EmbeddedRouterSpec {
  readonly driver: 'embedded';
  readonly listen: { readonly host: string; readonly port: number };
  /** Where the release on trial can be seen before it has traffic. */
  readonly preview?: { readonly host: string; readonly port: number } | undefined;
  /** PEM files, absolute. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  readonly limits: {
    readonly headerBytes: number;
    readonly idleMs: number;
    /** Longest wait for an instance's answer to begin. */
    readonly answerMs: number;
  };
  /** Trust X-Forwarded-* and Forwarded of the client side (Sluice stands behind another proxy). */
  readonly trustForwarded: boolean;
}

export interface HaproxyRouterSpec {
  readonly driver: 'haproxy';
  readonly listen: { readonly host: string; readonly port: number };
  /** Where the release on trial can be seen before it has traffic. */
  readonly preview?: { readonly host: string; readonly port: number } | undefined;
  /** What HAProxy loads with `-f`; absolute. Only Sluice writes there. */
  readonly directory: string;
  /** HAProxy's Runtime API. */
  readonly socket: { /** Absolute. */ readonly path: string } | { readonly host: string; readonly port: number };
  readonly reload:
    | { readonly kind: 'pidFile'; /** Absolute. */ readonly path: string }
    | { readonly kind: 'container'; readonly container: string }
    | { readonly kind: 'command'; readonly command: readonly string[] };
  /** Checks a configuration; `{directory}` stands for the one that is checked. Undefined: as HAProxy was started. */
  readonly check?: readonly string[] | undefined;
  /** Where Sluice listens for HAProxy's log, and how HAProxy reaches it there. */
  readonly feed: {
    readonly listen: { readonly host: string; readonly port: number };
    readonly reach: { readonly host: string; readonly port: number };
  };
  readonly limits: { readonly idleMs: number; /** Longest wait for an instance's answer. */ readonly answerMs: number };
  /** Trust X-Forwarded-* and Forwarded of the client side (HAProxy stands behind another proxy). */
  readonly trustForwarded: boolean;
}

/** What puts a request that no rule and no cookie decides into one of the 10,000 buckets. */
export type BucketKey =
  | { readonly kind: 'request' }
  | { readonly kind: 'address' }
  | { readonly kind: 'header'; /** Lower case. */ readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string };

export interface NginxRouterSpec {
  readonly driver: 'nginx';
  readonly listen: { readonly host: string; readonly port: number };
  readonly preview?: { readonly host: string; readonly port: number } | undefined;
  /** Where the controller reaches `listen`, when that is an address inside a container. */
  readonly reachAt?: { readonly host: string; readonly port: number } | undefined;
  /** Names by which NGINX tells this service from others at the same address, parted by spaces. */
  readonly serverName?: string | undefined;
  /** PEM files, as NGINX sees them. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
  /** The file that Sluice writes; absolute. */
  readonly include: string;
  /** The same file as NGINX sees it, when it runs in a container. */
  readonly includeInside?: string | undefined;
  /** NGINX's program with its options, such as `nginx -c FILE`. */
  readonly program: readonly string[];
  /** The container that it runs in, by name. */
  readonly container?: string | undefined;
  /** Where a signal is sent instead of calling the program for a reload. */
  readonly pidFile?: string | undefined;
  /** Instead of what Sluice would call. */
  readonly commands?:
    | { readonly test?: readonly string[] | undefined; readonly reload?: readonly string[] | undefined }
    | undefined;
  readonly by: BucketKey;
  /** A log of requests for people, beside the feed. */
  readonly accessLog?: string | undefined;
  /** The address of this machine that NGINX sends its feed to. */
  readonly feedHost: string;
  readonly limits: { readonly headerBytes: number; readonly idleMs: number; readonly answerMs: number };
  readonly trustForwarded: boolean;
}

export type RouterSpec = EmbeddedRouterSpec | HaproxyRouterSpec | NginxRouterSpec | { readonly driver: 'memory' };

export interface DeploySpec {
  readonly scope: Scope;
  readonly source: ReleaseSource;
  readonly run: RunSpec;
  readonly instances: number;
  /** Never fewer healthy instances serving than this. */
  readonly minAvailable: number;
  readonly health: HealthSpec;
  readonly validation: readonly ValidationCheck[];
  readonly strategy: StrategySpec;
  readonly gates: readonly GateCheck[];
  /** Sources that questions among the checks name. */
  readonly metrics?: Readonly<Record<string, MetricSource>> | undefined;
  readonly watch: WatchSpec;
  /** Undefined: no confidence score is asked for. */
  readonly confidence?: ConfidencePolicy | undefined;
  readonly platform: PlatformSpec;
  readonly router: RouterSpec;
  /** How long requests in flight may go on after their release lost its traffic. */
  readonly drainMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly stopGraceMs: number;
  /** Releases kept in the release store besides stable and the last known good. */
  readonly keepReleases: number;
}
