// Seeded random numbers and the few distributions that the simulated traffic needs.

/** Numbers in [0, 1) from a 128-bit state (sfc32); the same seed gives the same traffic on every machine. */
export type Random = () => number;

export function createRandom(seed: number): Random {
  let [a, b, c, counter] = [seed | 0, 0x9e_37_79_b9 | 0, 0x24_3f_6a_88, 1];
  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result;
    return (result >>> 0) / 4_294_967_296;
  };
  for (let index = 0; index < 15; index += 1) next();
  return next;
}

/** A standard normal number. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A Poisson count; large means are split, so that the product of uniforms cannot underflow. */
export function poisson(random: Random, mean: number): number {
  let count = 0;
  for (let rest = mean; rest > 0; rest -= 400) {
    const limit = Math.exp(-Math.min(rest, 400));
    for (let product = random(); product > limit; product *= random()) count += 1;
  }
  return count;
}

/** How many of `n` independent tries with probability `p` succeed; skips from success to success when they are rare. */
export function binomial(random: Random, n: number, p: number): number {
  if (p <= 0 || n <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  let count = 0;
  if (p > 0.1) {
    for (let index = 0; index < n; index += 1) if (random() < p) count += 1;
    return count;
  }
  const perSkip = 1 / Math.log1p(-p);
  for (let index = Math.floor(Math.log(1 - random()) * perSkip); index < n; count += 1) {
    index += 1 + Math.floor(Math.log(1 - random()) * perSkip);
  }
  return count;
}

/** Draws categories with given probabilities in constant time (Walker's alias method). */
export interface AliasTable {
  readonly threshold: Float64Array;
  readonly alias: Int32Array;
}

export function aliasTable(probabilities: readonly number[]): AliasTable {
  const n = probabilities.length;
  const threshold = Float64Array.from(probabilities, (p) => p * n);
  const alias = Int32Array.from(probabilities, (_, index) => index);
  const [small, large]: [number[], number[]] = [[], []];
  for (const [index, value] of threshold.entries()) (value < 1 ? small : large).push(index);
  while (small.length > 0 && large.length > 0) {
    const [less, more] = [small.pop() ?? 0, large.pop() ?? 0];
    alias[less] = more;
    threshold[more] = (threshold[more] ?? 0) + (threshold[less] ?? 0) - 1;
    ((threshold[more] ?? 0) < 1 ? small : large).push(more);
  }
  for (const index of [...small, ...large]) threshold[index] = 1;
  return { threshold, alias };
}

export function draw(random: Random, { threshold, alias }: AliasTable): number {
  const position = random() * threshold.length;
  const index = Math.floor(position);
  return position - index < (threshold[index] ?? 1) ? index : (alias[index] ?? index);
}
