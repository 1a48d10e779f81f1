// A deep, frozen copy of plain data, as it would come back from a disk.

/** Copies by way of JSON, so that what a database would lose (undefined, NaN, class instances) is lost here too. */
export function frozenCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), freeze) as T;
}

function freeze(_key: string, value: unknown): unknown {
  return Object.freeze(value);
}
