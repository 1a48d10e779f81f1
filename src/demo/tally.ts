// The tally of the load: what became of every request that the visitors sent.

export type Outcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** The version that answered, as it says itself. */
      readonly version?: string | undefined;
      /** The version that failed on purpose. */
      readonly fault?: string | undefined;
    }
  /** No whole answer came. */
  | { readonly kind: 'broken'; readonly reason: string };

export interface Share {
  readonly requests: number;
  /** Answers that failed on purpose. */
  readonly faults: number;
  /** When the newest of these requests began; epoch milliseconds. */
  readonly lastBegunAt: number;
}

export interface Loss {
  /** When the request began; epoch milliseconds. */
  readonly at: number;
  readonly reason: string;
}

/** Totals since the load began. */
export interface Totals {
  /** Requests whose outcome is known. */
  readonly requests: number;
  /** Requests that no version failed on purpose and that got no good answer. */
  readonly failed: number;
  readonly versions: Readonly<Record<string, Share>>;
  /** The first of the failed ones. */
  readonly losses: readonly Loss[];
}

export const nothing: Totals = { requests: 0, failed: 0, versions: {}, losses: [] };

const lossesKept = 20;

/** The totals with one more request that began at `begunAt`. */
export function counted(totals: Totals, begunAt: number, outcome: Outcome): Totals {
  const { requests, failed, losses } = totals;
  const reason = lossOf(outcome);
  return {
    requests: requests + 1,
    failed: reason === undefined ? failed : failed + 1,
    losses: reason === undefined || losses.length === lossesKept ? losses : [...losses, { at: begunAt, reason }],
    versions: outcome.kind === 'broken' ? totals.versions : withAnswer(totals.versions, begunAt, outcome),
  };
}

function withAnswer(
  versions: Totals['versions'],
  begunAt: number,
  { version, fault }: Extract<Outcome, { kind: 'answered' }>,
): Totals['versions'] {
  if (version === undefined) return versions;
  const before = versions[version] ?? { requests: 0, faults: 0, lastBegunAt: 0 };
  const share = {
    requests: before.requests + 1,
    faults: before.faults + (fault === undefined ? 0 : 1),
    lastBegunAt: Math.max(before.lastBegunAt, begunAt),
  };
  return { ...versions, [version]: share };
}

/** Why a request counts as failed because of the deploying; undefined: it does not. */
function lossOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'broken') return outcome.reason;
  if (outcome.fault !== undefined || outcome.status === 200) return undefined;
  return `status ${outcome.status}${outcome.version === undefined ? '' : ` from ${outcome.version}`}`;
}

/** What was added between two totals of the same load. */
export function since(before: Totals, after: Totals): Totals {
  const versions: Record<string, Share> = {};
  for (const [name, share] of Object.entries(after.versions)) {
    const earlier = before.versions[name];
    const requests = share.requests - (earlier?.requests ?? 0);
    if (requests > 0) versions[name] = { ...share, requests, faults: share.faults - (earlier?.faults ?? 0) };
  }
  return {
    requests: after.requests - before.requests,
    failed: after.failed - before.failed,
    versions,
    losses: after.losses.slice(before.losses.length),
  };
}
