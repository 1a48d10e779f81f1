// `gates.compare`: the statistical comparison of a release on trial with stable.

import * as z from 'zod';
import { gatePresets } from '../../core/gate/statistics/settings.ts';
import { words } from '../words.ts';
import { settings } from './settings.ts';
import { duration, percentage, share, whole } from './values.ts';

const presets = Object.keys(gatePresets) as (keyof typeof gatePresets)[];

const preset = z.enum(presets, {
  error: words('is not a preset', `Write one of ${presets.join(', ')}, or off.`),
});

/** A chance of 0 would never decide, and one of a half decides by the toss of a coin. */
const chance = percentage(0.5).refine((fraction) => fraction >= 1e-6, {
  error: words('is too small', 'Write at least 0.0001%.'),
});

const margin = percentage(0.5).refine((fraction) => fraction > 0, {
  error: words(
    'leaves no margin',
    'Write more than 0%: no number of requests shows that two releases are exactly alike.',
  ),
});

const margins = settings({
  upTo: share().prefault('100%').describe('The margins hold for stages up to this share.'),
  errors: margin.describe('Error rate above stable’s, in points.'),
  p95: margin.describe('Requests slower than stable’s p95 (and a quarter), beyond the 5 % that are anyway.'),
  p99: margin.describe('The same for p99, beyond 1 %.'),
}).meta({ id: 'Margins' });

const own = settings({
  preset: preset.prefault('default').describe('The settings that those below differ from.'),
  falseAborts: chance
    .optional()
    .describe('Chance that a release no worse than stable is ever sent back, over a whole deployment.'),
  wrongPasses: chance.optional().describe('Chance that a release worse than the margins passes a stage.'),
  warmUp: duration({ mostMs: 3_600_000 })
    .optional()
    .describe('For so long latency does not count against a new release (cold caches). Errors always count.'),
  minBadRequests: whole(1, 1000)
    .optional()
    .describe('Failed requests below which errors alone send nothing back: one client that retries proves nothing.'),
  guard: chance
    .optional()
    .describe(
      'Error rate that no release may have, whatever stable has. Default: 0.5%, or five times stable’s own where that is more.',
    ),
  margins: z
    .array(margins, {
      error: words('is not a list of margins', 'Write a list such as [{ errors: 1%, p95: 2%, p99: 1% }].'),
    })
    .min(1, { error: words('is empty', 'Write a list such as [{ errors: 1%, p95: 2%, p99: 1% }].') })
    .max(100, { error: words('is too long', 'Write at most 100.') })
    .refine((rows) => rows.every((row, index) => index === 0 || row.upTo > (rows[index - 1]?.upTo ?? 0)), {
      error: words('does not ascend by upTo', 'Write the row for the smallest share first.'),
    })
    .optional()
    .describe('How much worse than stable a release may be at most to pass a stage, by share of traffic.'),
}).meta({ id: 'Compare' });

export const compareSchema = z.union([preset, z.literal('off'), own], {
  error: words('is not a comparison', `Write one of ${presets.join(', ')}, off, or settings.`),
});

export type CompareSettings = z.output<typeof compareSchema>;
