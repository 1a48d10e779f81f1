// Series of a Prometheus as a configuration names them: metrics, and the labels by which those of one release are found.

import * as z from 'zod';
import { words } from '../words.ts';

export const metricName = z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,255}$/, {
  error: words('is not the name of a metric', 'Use letters, digits, underscores and colons.'),
});

export const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,255}$/, {
  error: words('is not the name of a label', 'Use letters, digits and underscores.'),
});

const labelText = z
  .string({ error: words('is not text', 'Put it in quotes.') })
  .max(1024, { error: words('is too long', 'Write at most 1024 characters.') });

export const labels = z
  .record(labelName, labelText, { error: words('is not a map of labels', 'Write lines such as job: shop under it.') })
  .prefault({ release: '{{release}}', environment: '{{environment}}' })
  .describe('Labels by which the series of one release are found; placeholders may stand in them.');

export const errorLabels = z
  .record(labelName, labelText, {
    error: words('is not a map of labels', 'Write a line such as code: "5.." under it.'),
  })
  .refine((given) => Object.keys(given).length > 0, {
    error: words('names no label', 'Write a line such as code: "5.." under it.'),
  })
  .prefault({ status: '5..' })
  .describe('Labels with patterns that tell failed requests from the others.');
