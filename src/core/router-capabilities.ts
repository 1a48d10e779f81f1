// What a router can do; a plan that needs more is refused before anything starts.

export interface RouterCapabilities {
  /** Whether `feed` gives samples. */
  readonly feed: boolean;
  readonly sticky: boolean;
  readonly rules: { readonly header: boolean; readonly cookie: boolean };
  readonly preview: boolean;
  /** Whether a drain whose time is up cuts what is left; otherwise it ends with its instance. */
  readonly cuts: boolean;
  /** The smallest step of a share in basis points: 1 = 0.01 %. */
  readonly granularity: number;
}
