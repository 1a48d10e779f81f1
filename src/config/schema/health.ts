// `health`: how Sluice sees that an instance can serve.

import * as z from 'zod';
import { words } from '../words.ts';
import { settings } from './settings.ts';
import { duration, requestPath, whole } from './values.ts';

export const healthSchema = settings({
  path: requestPath('/health/ready')
    .optional()
    .describe('A GET of this path answers with a status from 200 to 299 as soon as the instance can serve.'),
  tcp: z
    .literal(true, { error: words('is not true', 'Write true, or remove it and give a path.') })
    .optional()
    .describe('The instance can serve as soon as its port accepts connections. This is so where no `path` is given.'),
  interval: duration({ leastMs: 10, mostMs: 3_600_000 })
    .prefault('1s')
    .describe('Pause between two questions to one instance.'),
  within: duration({ leastMs: 10, mostMs: 3_600_000 })
    .optional()
    .describe('How long one answer may take, at most `interval`. Default: as long as `interval`, but at most 5s.'),
  timeout: duration({ leastMs: 100, mostMs: 86_400_000 })
    .prefault('300s')
    .describe('How long instances may take to become healthy before the deployment goes back.'),
  successes: whole(1, 100).prefault(1).describe('Good answers in a row that make an instance healthy.'),
}).meta({ id: 'Health' });
