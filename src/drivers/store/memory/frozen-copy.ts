// Copies that nobody can change, as they would come back from a disk, so that what a caller does with its own values never reaches the store.

/** Copies made before; a value that was taken in once, such as the plan in every version of a rollout, is not copied again. */
const known = new WeakMap<object, unknown>();

/**
 * A deep, deeply frozen copy with what JSON would keep of it: no undefined members, `null` for NaN and for undefined in lists. Whoever
 * changes a value after giving it here has to give a new one.
 */
export function frozenCopy<T>(value: T): T {
  return copyOf(value) as T;
}

function copyOf(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return null;
  if (typeof value !== 'object' || value === null) return value;
  if (known.has(value)) return known.get(value);
  const copy = 'toJSON' in value && typeof value.toJSON === 'function' ? copyOf(value.toJSON()) : copyMembers(value);
  known.set(value, copy);
  return copy;
}

function copyMembers(value: object): object {
  const copy = Array.isArray(value)
    ? value.map((member: unknown) => (member === undefined ? null : copyOf(member)))
    : Object.fromEntries(
        Object.entries(value)
          .filter(([, member]) => member !== undefined)
          .map(([name, member]) => [name, copyOf(member)]),
      );
  known.set(copy, copy);
  return Object.freeze(copy);
}
