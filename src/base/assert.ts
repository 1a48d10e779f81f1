// Assertions that stay on in production: a broken one is a defect of Sluice, never of its user.

/** Throws when an invariant of the program does not hold. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never, what: string): never {
  throw new Error(`invariant broken: unknown ${what}: ${JSON.stringify(value)}`);
}
