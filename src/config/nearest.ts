// Did-you-mean: the known name that is most like a mistyped one.

/** Names that people bring from other tools, in simplified form, and what Sluice calls the same thing. */
const otherNames: Readonly<Record<string, string>> = {
  replicas: 'instances',
  count: 'instances',
  scale: 'instances',
  healthcheck: 'health',
  healthcheckpath: 'path',
  readiness: 'health',
  environment: 'env',
  variables: 'env',
  cmd: 'command',
  start: 'command',
  run: 'command',
  entrypoint: 'command',
  dir: 'directory',
  folder: 'directory',
  checks: 'validate',
  validation: 'validate',
  steps: 'stages',
  weights: 'stages',
  latency: 'p95',
  errors: 'errorRate',
  app: 'service',
  name: 'service',
  proxy: 'router',
  graceperiod: 'stopGrace',
  cert: 'certificate',
};

/** The candidate that was probably meant; undefined when none is near enough to be worth naming. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const wanted = simplified(name).slice(0, 64);
  const same = candidates.find((candidate) => simplified(candidate) === wanted);
  if (same !== undefined) return same;
  const synonym = Object.hasOwn(otherNames, wanted) ? otherNames[wanted] : undefined;
  if (synonym !== undefined && candidates.includes(synonym)) return synonym;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, simplified(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `health_check`, `health-check` and `healthCheck` are the same to a reader. */
function simplified(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, '');
}

/** Insertions, removals, replacements and swaps of neighbours between two short texts. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped =
        a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1] ? at(beforeLast, column - 2) + 1 : Infinity;
      current.push(Math.min(replaced, at(last, column) + 1, at(current, column - 1) + 1, swapped));
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
