// `gates`: what the live requests of a release on trial may look like, and `watch`: what they may look like after it was promoted.

import * as z from 'zod';
import { words } from '../words.ts';
import { queriesSchema } from './queries.ts';
import { compareSchema } from './compare.ts';
import { orOff, settings } from './settings.ts';
import { duration, percentage, rate, whole } from './values.ts';

const minSamples = whole(1, 1_000_000_000);
const ownMinSamples = minSamples.optional().describe('As `gates.minSamples`, for this gate alone.');

const needsBound = words('sets no limit', 'Write a limit under it, or off.');

function hasBound(gate: object): boolean {
  return Object.entries(gate).some(([name, value]) => name !== 'minSamples' && value !== undefined);
}

const errorRate = settings({
  max: percentage().optional().describe('The most.'),
  worseThanStable: percentage()
    .optional()
    .describe('At most stable’s plus so many percentage points, over the same time.'),
  minSamples: ownMinSamples,
})
  .refine(hasBound, { error: needsBound })
  .meta({ id: 'ErrorRateGate' });

const availability = settings({
  min: percentage().optional().describe('The least.'),
  worseThanStable: percentage()
    .optional()
    .describe('At least stable’s minus so many percentage points, over the same time.'),
  minSamples: ownMinSamples,
})
  .refine(hasBound, { error: needsBound })
  .meta({ id: 'AvailabilityGate' });

const latency = settings({
  max: duration({ leastMs: 1 }).optional().describe('The most.'),
  worseThanStable: z
    .union([
      duration().transform((limit) => ({ unit: 'points' as const, limit })),
      percentage(100).transform((limit) => ({ unit: 'factor' as const, limit })),
    ])
    .optional()
    .describe(
      'At most stable’s plus this, over the same time: a duration (`500ms`), or a percentage of stable’s (`20%`).',
    ),
  minSamples: ownMinSamples,
})
  .refine(hasBound, { error: needsBound })
  .meta({ id: 'LatencyGate' });

const requestRate = settings({
  min: rate().optional().describe('The least, such as `1/s`.'),
  max: rate().optional().describe('The most.'),
})
  .refine(hasBound, { error: needsBound })
  .meta({ id: 'RequestRateGate' });

export const gatesSchema = settings({
  compare: compareSchema
    .prefault('default')
    .describe(
      'Compares the new release with stable, request by request: it is sent back as soon as its requests prove it worse, and passes a stage only when they prove it is not. One of the presets `default`, `strict`, `lenient`, `low-traffic`, or settings, or `off`.',
    ),
  minSamples: minSamples.prefault(50).describe('Fewer finished requests of the new release than this prove nothing.'),
  errorRate: orOff(errorRate)
    .optional()
    .describe(
      'Share of requests answered with a status from 500 on. Default: none beside `compare`; without it at most stable’s plus 5 points (`max: 5%` where the two do not run side by side).',
    ),
  availability: orOff(availability)
    .optional()
    .describe(
      'Share of requests that the release answered at all, with whatever status; the others the router had to answer for it. Default: `min: 95%`.',
    ),
  p50: orOff(latency).optional().describe('The latency that half of the requests stay below. Default: no gate.'),
  p95: orOff(latency)
    .optional()
    .describe(
      'The latency that 95 % of the requests stay below. Default: none beside `compare`; without it at most stable’s plus 3s (`max: 3s` where the two do not run side by side).',
    ),
  p99: orOff(latency).optional().describe('The latency that 99 % of the requests stay below. Default: no gate.'),
  requestRate: orOff(requestRate).optional().describe('Requests that reach the new release. Default: no gate.'),
  queries: queriesSchema
    .prefault([])
    .describe('Questions to metric sources, each with the range in which the answer must lie.'),
}).meta({ id: 'Gates' });

export type GatesSettings = z.output<typeof gatesSchema>;

/** The limits that count where a setting says nothing, in the notation of the configuration file. */
export const defaultGates = {
  /** Both releases have traffic at the same time, and their statistics are compared. */
  compared: { availability: { min: '95%' } },
  /** Both releases have traffic at the same time, so the new one is compared with stable. */
  sideBySide: {
    errorRate: { worseThanStable: '5%' },
    availability: { min: '95%' },
    p95: { worseThanStable: '3s' },
  },
  /** Only one release has traffic at a time: fixed limits. */
  oneAtATime: { errorRate: { max: '5%' }, availability: { min: '95%' }, p95: { max: '3s' } },
} as const;

export const watchSchema = settings({
  for: duration().prefault('15m').describe('How long after a promotion; `0s` for not at all.'),
  minSamples: minSamples.prefault(50).describe('Fewer finished requests than this prove nothing.'),
  errorRate: orOff(percentage()).prefault('5%').describe('The most; above it Sluice goes back by itself.'),
  availability: orOff(percentage()).prefault('95%').describe('The least.'),
  p95: orOff(duration({ leastMs: 1 }))
    .prefault('3s')
    .describe('The most.'),
  healthFailing: duration({ leastMs: 1000 })
    .prefault('2m')
    .describe('Health checks that fail for longer than this also send Sluice back.'),
}).meta({ id: 'Watch' });

export type WatchSettings = z.output<typeof watchSchema>;
