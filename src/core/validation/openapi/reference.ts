// References within a document: `{ $ref: '#/components/schemas/Item' }`. What lies outside of it is not fetched.

export type Members = Readonly<Record<string, unknown>>;

/** The value that a chain of references ends at; undefined for one that leads nowhere, outside, or round in a circle. */
export type Resolve = (value: unknown) => unknown;

const longestChain = 32;

/** The members of a map; undefined for anything else. */
export function membersOf(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}

/** Where a value points to, where it is a reference. */
export function referenceOf(value: unknown): string | undefined {
  const reference = membersOf(value)?.['$ref'];
  return typeof reference === 'string' ? reference : undefined;
}

export function resolver(root: unknown): Resolve {
  return (value) => {
    let current = value;
    for (let length = 0; length < longestChain; length += 1) {
      const reference = referenceOf(current);
      if (reference === undefined) return current;
      current = follow(root, reference);
    }
    return undefined;
  };
}

function follow(root: unknown, reference: string): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let current = root;
  for (const escaped of reference.slice(2).split('/')) {
    const name = unescaped(escaped);
    if (typeof current !== 'object' || current === null || name === undefined || !Object.hasOwn(current, name)) {
      return undefined;
    }
    current = (current as Members)[name];
  }
  return current;
}

/** `~1` is a slash and `~0` a tilde; before that, the text is part of a URL. */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined;
  }
}
