// Paths into JSON values: `items[0].id`, `["odd name"].x`, with or without a leading `$`.

export type JsonPath = readonly (string | number)[];

const step = /\.?([^.[\]\s"]+)|\[(\d{1,9})\]|\["([^"\]]*)"\]/y;

/** The steps of a path; undefined when the text is none. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: (string | number)[] = [];
  let at = text.startsWith('$') ? 1 : 0;
  // A name at the beginning has no dot before it, and a path that is only `$` is the whole value.
  if (at === 0 && text.startsWith('.')) return undefined;
  while (at < text.length) {
    step.lastIndex = at;
    const [whole, name, index, quoted] = step.exec(text) ?? [];
    const bare = name !== undefined && whole === name && at > 0;
    if (whole === undefined || bare) return undefined;
    steps.push(index === undefined ? (name ?? quoted ?? '') : Number(index));
    at += whole.length;
  }
  return text === '' ? undefined : steps;
}

/** The value at a path; undefined where there is none. Only own members count. */
export function atJsonPath(value: unknown, path: JsonPath): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Readonly<Record<string | number, unknown>>)[part];
  }
  return current;
}
