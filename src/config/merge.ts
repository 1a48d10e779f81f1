// Lays an environment's settings over those of its service.

type Map = Readonly<Record<string, unknown>>;

/**
 * These maps are merged name by name (`env.LOG_LEVEL` of an environment replaces that one variable); every other setting of an
 * environment, lists included, replaces the service's as a whole.
 */
export const mergedByName = ['release', 'env', 'health', 'gates', 'metrics', 'watch', 'confidence'] as const;

/** Names of which an environment's choice displaces the service's. */
const alternatives: Readonly<Record<string, readonly string[]>> = {
  release: ['directory', 'image'],
  health: ['path', 'tcp'],
};

const notSettings = new Set(['service', 'environments']);

/** The raw settings of one environment; values that are not maps are left for the schema to refuse. */
export function mergeEnvironment(file: Map, environment: unknown): Map {
  const service = Object.fromEntries(Object.entries(file).filter(([name]) => !notSettings.has(name)));
  if (!isMap(environment)) return service;
  const merged: Record<string, unknown> = { ...service, ...environment };
  for (const name of mergedByName) {
    const [below, above] = [service[name], environment[name]];
    if (isMap(below) && isMap(above)) merged[name] = { ...without(below, displaced(name, above)), ...above };
  }
  return merged;
}

function displaced(name: string, above: Map): readonly string[] {
  const names = alternatives[name] ?? [];
  return names.some((one) => Object.hasOwn(above, one)) ? names : [];
}

function without(map: Map, names: readonly string[]): Map {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));
}

export function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
