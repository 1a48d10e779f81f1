// The few special functions that the statistics need, to full double precision.

const stirling = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156] as const;
const halfLogTwoPi = 0.918_938_533_204_672_8;

/** ln Γ(x) for x > 0: Stirling's series from 12 upwards, reached from below by Γ(x+1) = x Γ(x). */
export function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < 12) {
    product *= shifted;
    shifted += 1;
  }
  const inverse = 1 / shifted;
  const square = inverse * inverse;
  let series = 0;
  for (let index = stirling.length - 1; index >= 0; index -= 1) series = series * square + (stirling[index] ?? 0);
  return (shifted - 0.5) * Math.log(shifted) - shifted + halfLogTwoPi + series * inverse - Math.log(product);
}

/** ln B(a, b). */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** The probability with these log-odds. */
export function expit(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}

/** The log-odds of a probability strictly between 0 and 1. */
export function logit(probability: number): number {
  return Math.log(probability / (1 - probability));
}

/** ln(e^a + e^b) without overflow. */
export function logAddExp(a: number, b: number): number {
  const top = Math.max(a, b);
  return top === -Infinity ? top : top + Math.log1p(Math.exp(Math.min(a, b) - top));
}

/** Kullback-Leibler divergence between two Bernoulli rates, in nats per request. */
export function bernoulliDivergence(p: number, q: number): number {
  const failing = p > 0 ? p * Math.log(p / q) : 0;
  const working = p < 1 ? (1 - p) * Math.log((1 - p) / (1 - q)) : 0;
  return failing + working;
}

function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (let index = coefficients.length - 1; index >= 0; index -= 1) value = value * x + (coefficients[index] ?? 0);
  return value;
}

// Wichura's AS 241 (PPND16), accurate to about 1e-16; coefficients in ascending order.
const centre = {
  top: [
    3.387_132_872_796_366_5, 133.141_667_891_784_38, 1971.590_950_306_551_3, 13_731.693_765_509_461,
    45_921.953_931_549_87, 67_265.770_927_008_7, 33_430.575_583_588_13, 2509.080_928_730_122_7,
  ],
  bottom: [
    1, 42.313_330_701_600_91, 687.187_007_492_057_9, 5394.196_021_424_751, 21_213.794_301_586_597,
    39_307.895_800_092_71, 28_729.085_735_721_943, 5226.495_278_852_545,
  ],
};
const shoulder = {
  top: [
    1.423_437_110_749_683_5, 4.630_337_846_156_546, 5.769_497_221_460_691, 3.647_848_324_763_204_5,
    1.270_458_252_452_368_4, 0.241_780_725_177_450_6, 0.022_723_844_989_269_184, 7.745_450_142_783_414e-4,
  ],
  bottom: [
    1, 2.053_191_626_637_759, 1.676_384_830_183_803_8, 0.689_767_334_985_1, 0.148_103_976_427_480_08,
    0.015_198_666_563_616_457, 5.475_938_084_995_345e-4, 1.050_750_071_644_416_9e-9,
  ],
};
const tail = {
  top: [
    6.657_904_643_501_103, 5.463_784_911_164_114, 1.784_826_539_917_291_3, 0.296_560_571_828_504_87,
    0.026_532_189_526_576_124, 0.001_242_660_947_388_078_4, 2.711_555_568_743_487_6e-5, 2.010_334_399_292_288e-7,
  ],
  bottom: [
    1, 0.599_832_206_555_888, 0.136_929_880_922_735_8, 0.014_875_361_290_850_615, 7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5, 1.421_511_758_316_446e-7, 2.044_263_103_389_939_7e-15,
  ],
};

/** The inverse of the normal distribution function, for probabilities strictly between 0 and 1. */
export function normalQuantile(probability: number): number {
  const offset = probability - 0.5;
  if (Math.abs(offset) <= 0.425) {
    const x = 0.180_625 - offset * offset;
    return (offset * polynomial(centre.top, x)) / polynomial(centre.bottom, x);
  }
  const depth = Math.sqrt(-Math.log(offset < 0 ? probability : 1 - probability));
  const value =
    depth <= 5
      ? polynomial(shoulder.top, depth - 1.6) / polynomial(shoulder.bottom, depth - 1.6)
      : polynomial(tail.top, depth - 5) / polynomial(tail.bottom, depth - 5);
  return offset < 0 ? -value : value;
}
