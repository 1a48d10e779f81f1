// The factor of a block for a difference with a margin: one bet on the candidate, one on stable, coupled so that what both share cancels.

/** Requests of one release in a block, and how many of them were bad. */
export interface BadOf {
  readonly requests: number;
  readonly bad: number;
}

export interface CoupledBet {
  /** > 0 bets against "candidate ≤ ratio × stable + margin", < 0 against "candidate ≥ ratio × stable + margin". Cut down to a stake that cannot lose all. */
  readonly stake: number;
  /** The guess of stable's rate that the bet is centred on; a wrong guess costs speed only. */
  readonly guess: number;
  readonly margin: number;
  readonly ratio?: number;
}

/** The largest part of the capital that one request may cost. */
const greatestLoss = 0.99;

/**
 * ln of the factor. Its mean is at most 1 under the bet's null hypothesis for any stake, guess, margin and ratio that were fixed
 * before the block was seen, because ln(1+u) ≤ u and the two first-order terms cancel. 0 when one side has no requests.
 */
export function coupledLogFactor(candidate: BadOf, stable: BadOf, bet: CoupledBet): number {
  if (candidate.requests === 0 || stable.requests === 0) return 0;
  const { guess, margin, ratio = 1 } = bet;
  const centre = ratio * guess + margin;
  const odds = (ratio * candidate.requests) / stable.requests;
  const stake =
    bet.stake > 0
      ? Math.min(bet.stake, limit(centre), limit(odds * (1 - guess)))
      : -Math.min(-bet.stake, limit(1 - centre), limit(odds * guess));
  const counter = -odds * stake;
  return (
    candidate.bad * Math.log1p(stake * (1 - centre)) +
    (candidate.requests - candidate.bad) * Math.log1p(-stake * centre) +
    stable.bad * Math.log1p(counter * (1 - guess)) +
    (stable.requests - stable.bad) * Math.log1p(-counter * guess)
  );
}

const limit = (loss: number): number => (loss > 0 ? greatestLoss / loss : Infinity);

/** The stake with the greatest expected growth when the candidate's true rate is `rate` and the bet is centred on `centre`. */
export function bestStake(rate: number, centre: number): number {
  return (rate - centre) / (centre * (1 - centre));
}
