// `gates.compare`: the statistical comparison of a release on trial with stable.

import * as z from 'zod';
import { gatePresets } from '../../core/gate/statistics/settings.ts';
import { words } from '../words.ts';
import { errorLabels, labelName, labels, metricName } from './series.ts';
import { orOff, settings } from './settings.ts';
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

const counters = settings({
  source: z
    .string({ error: words('is not the name of a source', 'Name one of `metrics`.') })
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
      error: words('is not the name of a source', 'Name one of `metrics`.'),
    })
    .describe('Name of a Prometheus in `metrics`.'),
  metric: metricName.prefault('http_requests_total').describe('Counter of requests.'),
  errors: errorLabels,
  histogram: orOff(metricName)
    .prefault('http_request_duration_seconds')
    .describe(
      'Classic histogram of how long requests take, without `_bucket`; `off`: only errors are compared. Both releases must have the same buckets.',
    ),
  unit: z
    .enum(['s', 'ms'], { error: words('is not a unit', 'Write s or ms.') })
    .prefault('s')
    .describe('Unit of the histogram.'),
  labels,
  instance: labelName
    .prefault('instance')
    .describe('Label that tells the instances of a release apart, each of which counts by itself.'),
  interval: duration({ leastMs: 1000, mostMs: 300_000 })
    .prefault('5s')
    .describe('Pause between two readings. Nothing is gained by reading more often than the server scrapes.'),
}).meta({ id: 'Counters' });

export type CounterSettings = z.output<typeof counters>;

const own = settings({
  preset: preset.prefault('default').describe('The settings that those below differ from.'),
  falseAborts: chance
    .optional()
    .describe('Chance that a release no worse than stable is ever sent back, over a whole deployment.'),
  wrongPasses: chance.optional().describe('Chance that a release worse than the margins passes a stage.'),
  warmUp: duration({ mostMs: 3_600_000 })
    .optional()
    .describe('For so long latency does not count against a new release (cold caches). Errors always count.'),
  latencyFloor: duration({ mostMs: 10_000 })
    .optional()
    .describe(
      'Requests that take at most this long are all as quick: a new release is a little colder than stable, and so small a difference is nobody’s. Default: 10ms.',
    ),
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
  counters: counters
    .optional()
    .describe(
      'Judges by what a Prometheus counts, such as orders that fail behind an answer of 200, instead of by the requests that the router sees.',
    ),
}).meta({ id: 'Compare' });

export const compareSchema = z.union([preset, z.literal('off'), own], {
  error: words('is not a comparison', `Write one of ${presets.join(', ')}, off, or settings.`),
});

export type CompareSettings = z.output<typeof compareSchema>;
