// The id port: where fresh names come from.

export interface Ids {
  /** A fresh name such as `d-20261121-7k3f9q`; sorts by time within a second, never repeats. */
  next(prefix: string): string;
}
