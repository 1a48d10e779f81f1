// Facts about a release that come with the order to deploy it: what its checks said, what changed, what its tests cover.

export interface TestFacts {
  readonly total: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Findings of a tool that looks at code. */
export interface FindingFacts {
  readonly errors: number;
  readonly warnings: number;
}

export interface SafetyFacts {
  readonly build?: 'passed' | 'failed' | undefined;
  readonly tests?: TestFacts | undefined;
  readonly lint?: FindingFacts | undefined;
  readonly security?: FindingFacts | undefined;
}

export interface ChangeFacts {
  /** Hash of the commit that was deployed from. */
  readonly commit: string;
  /** Hash of the commit that it is compared with, and why that one: `stable`, `configured`, `parent`. */
  readonly since: string;
  readonly basis: 'stable' | 'configured' | 'parent';
  readonly files: number;
  /** Lines added and removed; generated lock files and binary files do not count. */
  readonly lines: number;
  /** Changed files of database migrations. */
  readonly migrations: number;
  /** Changed files that name or lock dependencies. */
  readonly dependencies: number;
}

export interface CoverageFacts {
  /** Lines that can be covered, and those that are. */
  readonly lines: number;
  readonly covered: number;
  /** The same of the changed lines; undefined where they are not known. */
  readonly changed?: { readonly lines: number; readonly covered: number } | undefined;
}

/** What is undefined was not told. */
export interface ReleaseFacts {
  readonly safety?: SafetyFacts | undefined;
  readonly change?: ChangeFacts | undefined;
  readonly coverage?: CoverageFacts | undefined;
}

/** How an earlier deployment of the service turned out, as far as its release is concerned. */
export type PastOutcome = 'held' | 'failed';

/** All that a plan knows for its confidence scores. */
export interface ConfidenceFacts {
  readonly release: ReleaseFacts;
  /** Earlier deployments of this service and environment, the newest first. */
  readonly past: readonly PastOutcome[];
}
