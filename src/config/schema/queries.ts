// `gates.queries`: questions to metric sources, and the range in which their answers must lie.

import * as z from 'zod';
import { words } from '../words.ts';
import { metricSourceSchema } from './metrics.ts';
import { errorLabels, labels, metricName } from './series.ts';
import { oneKind, settings } from './settings.ts';
import { duration, flag, percentage, text, whole } from './values.ts';

const questionText = z
  .string({ error: words('is not text', 'Write the query as text.') })
  .min(1, { error: words('is empty', 'Write a query.') })
  .max(4096, { error: words('is too long', 'Write at most 4096 characters.') })
  .refine((given) => !given.includes('\0'), { error: words('holds a NUL character', 'Remove it.') });

const templates = oneKind('template', {
  requestRate: settings({
    metric: metricName.prefault('http_requests_total').describe('Counter of requests.'),
    labels,
  }).describe('Requests per second.'),
  errorRate: settings({
    metric: metricName.prefault('http_requests_total').describe('Counter of requests.'),
    errors: errorLabels,
    labels,
  }).describe('Share of requests that failed, 0 to 1.'),
  quantile: settings({
    histogram: metricName
      .prefault('http_request_duration_seconds')
      .describe('Histogram of the duration of requests, without `_bucket`.'),
    of: percentage()
      .refine((given) => given > 0 && given < 1, { error: words('is no quantile', 'Write one such as 95%.') })
      .prefault('95%')
      .describe('So many requests took at most this long.'),
    native: flag().prefault(false).describe('The histogram is a native one.'),
    labels,
  }).describe('Duration of requests, in the unit of the metric.'),
  cpu: settings({
    metric: metricName.prefault('process_cpu_seconds_total').describe('Counter of seconds of CPU.'),
    cores: z
      .number({ error: words('is not a number', 'Write a number such as 0.5.') })
      .positive({ error: words('is not above 0', 'Write a number such as 0.5.') })
      .max(10_000)
      .prefault(1)
      .describe('Cores that an instance may use: with all of them busy the answer is 1.'),
    labels,
  }).describe('CPU saturation of the busiest instance, 0 to 1.'),
  memory: settings({
    metric: metricName.prefault('process_resident_memory_bytes').describe('Gauge of the memory of an instance.'),
    labels,
  }).describe('Memory of the largest instance, in the unit of the metric.'),
}).meta({ id: 'QueryTemplate' });

export type QueryTemplateSettings = z.output<typeof templates>;

const limit = z.number({ error: words('is not a number', 'Write a number, in the unit of the answer.') });

const query = settings({
  name: text('queue depth', 100).describe('What people call it.'),
  source: z
    .union([
      z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
        error: words('is not the name of a source', 'Name one of `metrics`, or write a source here.'),
      }),
      metricSourceSchema,
    ])
    .describe('Name of a source in `metrics`, or a source written here.'),
  query: questionText
    .optional()
    .describe(
      'The question: PromQL, a JSON path such as `data.depth`, or a text for the program. `{{release}}`, `{{service}}`, `{{environment}}` and `{{window}}` stand for what is asked about.',
    ),
  template: templates.optional().describe('A ready question to a Prometheus, instead of `query`.'),
  measuredAt: questionText
    .optional()
    .describe('What tells when the number was measured: a series selector of PromQL, or the JSON path of a time.'),
  samples: questionText.optional().describe('Asks how many samples the number stands on.'),
  minSamples: whole(1, 1_000_000_000)
    .optional()
    .describe('Fewer samples than this prove nothing. Default: `gates.minSamples`.'),
  max: limit.optional().describe('The most.'),
  min: limit.optional().describe('The least.'),
  equals: limit.optional().describe('The only good answer.'),
  worseThanStable: percentage(100).optional().describe('At most the answer for stable plus so much of it.'),
  noData: z
    .enum(['hold', 'fail'], { error: words('is not a meaning of no data', 'Write hold or fail.') })
    .prefault('hold')
    .describe(
      'What it means when the source works and has no number: nothing can be said (`hold`), or the release is bad (`fail`).',
    ),
  points: whole(1, 100).prefault(2).describe('So many answers in a row must agree.'),
  interval: duration({ leastMs: 1000, mostMs: 3_600_000 }).prefault('10s').describe('Pause between two questions.'),
  window: duration({ leastMs: 1000, mostMs: 86_400_000 })
    .prefault('1m')
    .describe('What `{{window}}` stands for; it never reaches back behind the beginning of the stage.'),
  weight: z
    .number({ error: words('is not a weight', 'Write a number from 0 to 1.') })
    .min(0, { error: words('is not a weight', 'Write a number from 0 to 1.') })
    .max(1, { error: words('is not a weight', 'Write a number from 0 to 1.') })
    .prefault(1)
    .describe('Failing gates go back when their weights add up to 1; other gates weigh 1. 0: for people to read only.'),
  watch: flag().prefault(true).describe('Ask after the promotion too, as long as the release is watched.'),
}).meta({ id: 'Query' });

export const queriesSchema = z
  .array(query, { error: words('is not a list of queries', 'Write a list of maps with name, source and query.') })
  .max(50, { error: words('is too long', 'Write at most 50 queries.') });

export type QuerySettings = z.output<typeof query>;
