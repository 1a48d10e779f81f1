// `metrics`: where gates can ask for numbers that the router does not see.

import * as z from 'zod';
import { words } from '../words.ts';
import { oneKind, settings } from './settings.ts';
import { secret, variableName } from './secret.ts';
import { command, duration, hasControl, text } from './values.ts';

const authentication = oneKind('way to authenticate', {
  bearer: secret.describe('A token.'),
  basic: settings({
    user: text('sluice', 256)
      .refine((user) => !user.includes(':'), { error: words('holds a colon', 'No user name can.') })
      .describe('User name.'),
    password: secret.describe('Password.'),
  }).describe('User and password.'),
}).meta({ id: 'MetricAuthentication' });

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/, {
  error: words('is not the name of a header', 'Use letters, digits and dashes.'),
});

const headerText = z
  .string({ error: words('is neither text nor a place of it', 'Put it in quotes.') })
  .max(8192)
  .refine((given) => !hasControl(given), { error: words('holds a control character or line break', 'Remove it.') });

const urlWords = words('is not a URL', 'Write a full URL without a password, such as http://prometheus:9090.');

const url = z
  .string({ error: urlWords })
  .max(2048, { error: urlWords })
  .refine((given) => isHttpUrl(given), { error: urlWords })
  .meta({ title: 'URL' });

/** A URL is shown wherever its source is, so no password may stand in it. */
function isHttpUrl(given: string): boolean {
  // Placeholders are put in later; what they stand for never changes whether it is a URL.
  const plain = given.replaceAll(/\{\{[^{}]*\}\}/g, 'x');
  if (!/^https?:\/\/[^\s/]/.test(plain) || !URL.canParse(plain)) return false;
  const { username, password } = new URL(plain);
  return username === '' && password === '';
}

const within = duration({ leastMs: 1, mostMs: 60_000 }).prefault('5s').describe('How long one question may take.');

const web = {
  auth: authentication.optional().describe('Credentials; the secret itself is never written here.'),
  headers: z
    .record(headerName, z.union([headerText, secret]), {
      error: words('is not a map of headers', 'Write lines such as X-Scope-OrgID: team-a under it.'),
    })
    .prefault({})
    .describe('Further headers: text, or a place of a secret.'),
  ca: text('./tls/ca.pem').optional().describe('PEM file of an authority that is trusted besides the usual ones.'),
  within,
  stale: duration({ leastMs: 1000, mostMs: 86_400_000 })
    .prefault('1m')
    .describe('A number that was measured longer ago than this says nothing; more than two scrapes apart.'),
};

const prometheus = settings({
  url: url.describe('Root of its HTTP API, such as `http://prometheus:9090`.'),
  ...web,
}).meta({ id: 'PrometheusSource' });

const http = settings({
  url: url.describe(
    'A URL that answers GET with JSON; `{{release}}`, `{{service}}`, `{{environment}}` and `{{window}}` stand for what is asked about.',
  ),
  ...web,
}).meta({ id: 'HttpSource' });

const program = settings({
  run: command().describe(
    'The program; it writes one number. What is asked about it finds in `SLUICE_RELEASE`, `SLUICE_SERVICE`, `SLUICE_ENVIRONMENT`, `SLUICE_WINDOW_SECONDS` and `SLUICE_QUERY`.',
  ),
  workingDirectory: text('./scripts').prefault('.').describe('Where it runs, relative to this file.'),
  env: z
    .record(variableName, z.union([headerText, secret]), {
      error: words('is not a map of variables', 'Write lines such as REGION: eu under it.'),
    })
    .prefault({})
    .describe(
      'Further variables: text, or a place of a secret. Of the controller’s own it is given only a few usual ones.',
    ),
  within,
}).meta({ id: 'CommandSource' });

export const metricSourceSchema = oneKind(
  'metric source',
  {
    prometheus: prometheus.describe('A Prometheus, or what speaks its HTTP API.'),
    http: http.describe('A URL that answers with JSON.'),
    command: program.describe('A program that writes one number.'),
  },
  '{ prometheus: { url: http://prometheus:9090 } }',
).meta({ id: 'MetricSource' });

export type MetricSourceSettings = z.output<typeof metricSourceSchema>;

const sourceName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
  error: words('is not a usable name', 'Write lower-case letters, digits and dashes, such as main.'),
});

export const metricsSchema = z
  .record(sourceName, metricSourceSchema, {
    error: words('is not a map of metric sources', 'Write lines such as main: { prometheus: { url: … } } under it.'),
  })
  .refine((given) => Object.keys(given).length <= 50, { error: words('has too many sources', 'Write at most 50.') })
  .meta({ id: 'Metrics' });
