// The factor that a block of requests earns for the suspicion that the candidate is worse: candidate and stable against their pooled mix.

/**
 * ln of the factor for counts over ordered categories. `candidate` and `stable` are the counts of one block; `suspected` is the
 * candidate's distribution if the suspicion is right and `expected` is stable's, both fixed before the block was seen. Under
 * "the candidate is no worse" the factor's mean is at most 1 whatever the true distribution is, provided suspected/expected does
 * not fall from one category to the next. 0 when one side has no requests.
 */
export function pooledLogFactor(
  candidate: readonly number[],
  stable: readonly number[],
  suspected: readonly number[],
  expected: readonly number[],
): number {
  const candidates = sum(candidate);
  const stables = sum(stable);
  if (candidates === 0 || stables === 0) return 0;
  const share = candidates / (candidates + stables);
  let total = 0;
  for (let index = 0; index < candidate.length; index += 1) {
    const c = candidate[index] ?? 0;
    const s = stable[index] ?? 0;
    if (c === 0 && s === 0) continue;
    const theta = suspected[index] ?? 0;
    const base = expected[index] ?? 0;
    const pooled = share * theta + (1 - share) * base;
    if (c > 0) total += c * Math.log(theta / pooled);
    if (s > 0) total += s * Math.log(base / pooled);
  }
  return total;
}

/** The same for two categories, worked and failed: `failed` of `requests`, with the suspected and the expected error rate. */
export function pooledLogFactorOfErrors(
  candidate: { readonly requests: number; readonly errors: number },
  stable: { readonly requests: number; readonly errors: number },
  suspected: number,
  expected: number,
): number {
  if (candidate.requests === 0 || stable.requests === 0) return 0;
  const share = candidate.requests / (candidate.requests + stable.requests);
  const failing = share * suspected + (1 - share) * expected;
  const working = share * (1 - suspected) + (1 - share) * (1 - expected);
  return (
    times(candidate.requests - candidate.errors, (1 - suspected) / working) +
    times(stable.requests - stable.errors, (1 - expected) / working) +
    times(candidate.errors, suspected / failing) +
    times(stable.errors, expected / failing)
  );
}

/** A distribution bent towards the categories with a high score: base × e^(strength × score), normalised. */
export function tilted(base: readonly number[], scores: readonly number[], strength: number): number[] {
  const bent = base.map((mass, index) => mass * Math.exp(strength * (scores[index] ?? 0)));
  const total = sum(bent);
  return bent.map((mass) => mass / total);
}

export function sum(values: readonly number[], from = 0): number {
  let total = 0;
  for (let index = from; index < values.length; index += 1) total += values[index] ?? 0;
  return total;
}

const times = (count: number, ratio: number): number => (count === 0 ? 0 : count * Math.log(ratio));
