// How an instance runs in a container, beyond its program and its environment; all of it counts for the digest of a release.

/** Something of the machine, or of the engine, that is seen inside the container. */
export type Mount =
  | ({ readonly kind: 'bind'; /** Absolute, on the engine's machine. */ readonly source: string } & MountTarget)
  | ({
      readonly kind: 'volume';
      /** Undefined: a volume of this container alone. */ readonly source?: string | undefined;
    } & MountTarget)
  | ({
      readonly kind: 'tmpfs';
      readonly sizeBytes?: number | undefined;
      readonly mode?: number | undefined;
    } & MountTarget);

interface MountTarget {
  /** Absolute, inside the container. */
  readonly target: string;
  readonly readOnly: boolean;
}

export interface NetworkAttachment {
  /** As the engine knows it. */
  readonly name: string;
  /** Names beside the container's own under which it is found on this network. */
  readonly aliases: readonly string[];
}

/** The engine's own look at an instance, beside Sluice's; `off` switches the image's one off. */
export type ContainerHealth =
  | 'off'
  | {
      /** As the engine takes it: `['CMD', …]` or `['CMD-SHELL', …]`. Empty: the image's own. */
      readonly test: readonly string[];
      readonly intervalMs?: number | undefined;
      readonly timeoutMs?: number | undefined;
      readonly startPeriodMs?: number | undefined;
      readonly retries?: number | undefined;
    };

export interface ContainerRun {
  /** Where the program listens inside the container; also its variable `PORT`. */
  readonly port: number;
  /** `linux/amd64`; undefined: whatever the engine runs. */
  readonly platform?: string | undefined;
  /** Undefined: the image's own. */
  readonly entrypoint?: readonly string[] | undefined;
  /** Absolute, inside the container; undefined: the image's own. */
  readonly workingDirectory?: string | undefined;
  /** The first one is the network that the container is born on. None: a network that Sluice makes. */
  readonly networks: readonly NetworkAttachment[];
  readonly mounts: readonly Mount[];
  readonly labels: Readonly<Record<string, string>>;
  /** No program inside can write but to its mounts. */
  readonly readOnly: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  /** No program inside gets more rights than its starter had. */
  readonly noNewPrivileges: boolean;
  /** A small first process that passes signals on and takes care of orphans. */
  readonly init: boolean;
  readonly tty: boolean;
  /** Groups beside the user's own. */
  readonly groups: readonly string[];
  /** Thousandths of a processor. */
  readonly milliCpus?: number | undefined;
  readonly cpuShares?: number | undefined;
  /** Processes and threads; -1 is without limit. */
  readonly pids?: number | undefined;
  readonly shmBytes?: number | undefined;
  readonly memoryReservationBytes?: number | undefined;
  /** Memory and swap together; -1 is without limit. */
  readonly memorySwapBytes?: number | undefined;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  /** `name:address` lines for /etc/hosts. */
  readonly hosts: readonly string[];
  /** Undefined: the image's own, or SIGTERM. */
  readonly stopSignal?: string | undefined;
  /** Undefined: the engine's own way. */
  readonly log?:
    | {
        /** Undefined: the engine's own one. */
        readonly driver?: string | undefined;
        readonly options: Readonly<Record<string, string>>;
      }
    | undefined;
  /** Undefined: the image's own, where it has one. */
  readonly health?: ContainerHealth | undefined;
  /** The service that it is in a Compose file, by which others that need it find it. */
  readonly compose?: ComposeName | undefined;
  /** What must run before an instance starts, be it with Compose or with Sluice. */
  readonly needs: readonly ComposeNeed[];
}

export interface ComposeName {
  readonly project: string;
  readonly service: string;
}

export interface ComposeNeed extends ComposeName {
  readonly condition: 'started' | 'healthy' | 'completed';
}
