// How a release of the bench's service behaves.

export interface Behaviour {
  /** Told with every answer. */
  readonly name: string;
  /** Chance that a request fails. */
  readonly errors: number;
  /** All latencies are so many times as long. */
  readonly slower: number;
  /** Both only so long after its start, ms. */
  readonly afterMs?: number | undefined;
}
