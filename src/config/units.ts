// Percentages, sizes and rates as people write them, to plain numbers. (Durations are read by base/duration.)

const percentageShape = /^(\d{1,6}(?:\.\d{1,6})?) ?%$/;

/** The fraction of a percentage: `1%` → 0.01, `0.5 %` → 0.005; undefined when the text is none. */
export function parsePercentage(text: string): number | undefined {
  const amount = percentageShape.exec(text)?.[1];
  // Through a decimal text rather than a division, so that 0.07 is 0.07 and not 0.07000000000000001.
  return amount === undefined ? undefined : Number(`${amount}e-2`);
}

const sizeUnits = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
} as const;

const sizeShape = /^(\d{1,9}(?:\.\d{1,3})?) ?(B|[KMGT]iB|[kKMGT]B)$/;

/** Whole bytes of a size: `64MiB`, `1.5 GiB`, `500kB`; undefined when the text is none or gives a part of a byte. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = sizeShape.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const bytes = Number(amount) * sizeUnits[unit as keyof typeof sizeUnits];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const secondsPer = { s: 1, m: 60, h: 3600 } as const;

const rateShape = /^(\d{1,9}(?:\.\d{1,3})?) ?\/ ?([smh])$/;

/** Events per second of a rate: `10/s`, `90/m`, `1000/h`; undefined when the text is none. */
export function parseRate(text: string): number | undefined {
  const [, amount, unit] = rateShape.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Number(amount) / secondsPer[unit as keyof typeof secondsPer];
}
