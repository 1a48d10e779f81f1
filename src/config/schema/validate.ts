// `validate`: the checks that a release has to pass before it gets traffic, after the switch, and at any time by `sluice validate`.

import * as z from 'zod';
import { parseJsonPath } from '../../core/validation/json-path.ts';
import { words } from '../words.ts';
import { secret } from './secret.ts';
import { remoteAddress } from './address.ts';
import { oneKind, settings } from './settings.ts';
import { command, duration, hasControl, requestPath, text, whole } from './values.ts';

const attempts = {
  within: duration({ leastMs: 1, mostMs: 86_400_000 })
    .prefault('1s')
    .describe('How long one attempt may take, to the end of the answer.'),
  retries: whole(0, 100).prefault(2).describe('Further attempts after one that failed.'),
  pause: duration({ mostMs: 3_600_000 }).prefault('500ms').describe('Pause before a further attempt.'),
};

const slow = {
  ...attempts,
  within: duration({ leastMs: 1, mostMs: 86_400_000 }).prefault('30s').describe('How long one attempt may take.'),
};

const statusWords = words('is not a status', 'Write a number such as 200, a range such as 200-299, or a list of them.');

const statusItem = z
  .union([z.int({ error: statusWords }), z.string({ error: statusWords })])
  .transform((given, context) => {
    const [, from, to] = /^(\d{3})(?:-(\d{3}))?$/.exec(String(given)) ?? [];
    const range = { from: Number(from), to: Number(to ?? from) };
    if (range.from >= 100 && range.to <= 599 && range.from <= range.to) return range;
    context.addIssue({ code: 'custom', message: statusWords });
    return z.NEVER;
  })
  .meta({ title: 'status or range', examples: [200, '200-299'] });

const headerName = z
  .string()
  .max(256)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, {
    error: words('is not the name of a header', 'Use letters, digits and dashes.'),
  });

const headerValue = z
  .string({ error: words('is not text', 'Put it in quotes.') })
  .max(8192, { error: words('is too long', 'Keep it below 8 KiB.') })
  .refine((value) => !hasControl(value), { error: words('holds a control character or line break', 'Remove it.') });

const headers = z.record(headerName, headerValue, {
  error: words('is not a map of headers', 'Write lines such as accept: application/json under it.'),
});

const jsonPath = z
  .string()
  .max(512)
  .refine((path) => parseJsonPath(path) !== undefined, {
    error: words('is not a JSON path', 'Write a path such as items[0].id.'),
  });

const jsonValue = z
  .union([z.string().max(8192), z.number(), z.boolean(), z.null()], {
    error: words('is not a single value', 'Write text, a number, true, false or null.'),
  })
  .meta({ title: 'text, number, true, false or null' });

const url = z
  .string({
    error: words('is not a URL', 'Write a full URL without a password, such as http://db.internal:8080/health.'),
  })
  .max(2048)
  .refine((value) => isHttpUrl(value), {
    error: words('is not a URL', 'Write a full URL without a password, such as http://db.internal:8080/health.'),
  })
  .meta({ title: 'URL' });

/** A URL is shown wherever its check is, so no password may stand in it. */
function isHttpUrl(value: string): boolean {
  if (!/^https?:\/\/[^\s/]/.test(value) || !URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return username === '' && password === '';
}

const httpSettings = settings({
  path: requestPath('/api/items').optional().describe('Path on the release under test. Either this or `url`.'),
  url: url.optional().describe('Full URL of something that the release depends on.'),
  method: z
    .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'], {
      error: words('is not a method', 'Write GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.'),
    })
    .prefault('GET')
    .describe('Method of the request.'),
  headers: z
    .record(headerName, z.union([headerValue, secret]), {
      error: words('is not a map of headers', 'Write lines such as accept: application/json under it.'),
    })
    .prefault({})
    .describe(
      'Headers to send: text, which is kept and shown like every setting, or the place of a secret, which is read at each attempt and shown nowhere.',
    ),
  body: z
    .string({ error: words('is not text', 'Put it in quotes.') })
    .max(65_536, { error: words('is too long', 'Keep it below 64 KiB.') })
    .optional()
    .describe('Text to send.'),
  status: z
    .union([statusItem, z.array(statusItem).min(1, { error: statusWords }).max(50)])
    .prefault('200-299')
    .transform((given) => (Array.isArray(given) ? given : [given]))
    .describe('Accepted status: a number, a range such as `200-299`, or a list of them. Redirects are not followed.'),
  expectHeaders: headers.prefault({}).describe('Headers of the answer, each with text that its value must contain.'),
  expectJson: z
    .record(jsonPath, jsonValue, {
      error: words('is not a map of JSON paths', 'Write lines such as items[0].id: 7 under it.'),
    })
    .prefault({})
    .describe('Paths in the JSON answer, such as `items[0].id`, each with the exact value expected there.'),
  contains: z
    .string({ error: words('is not text', 'Put it in quotes.') })
    .min(1)
    .max(8192)
    .optional()
    .describe('Text that the answer must contain.'),
  concurrency: whole(1, 1000).prefault(1).describe('So many of these requests at once; all must pass.'),
  ...attempts,
})
  .superRefine((check, context) => {
    for (const problem of requestProblems(check)) context.addIssue({ code: 'custom', ...problem });
  })
  .meta({ id: 'HttpCheck' });

interface Request {
  readonly path?: string | undefined;
  readonly url?: string | undefined;
  readonly method: string;
  readonly body?: string | undefined;
  readonly contains?: string | undefined;
  readonly expectJson: object;
}

function requestProblems(check: Request): { readonly message: string; readonly path: string[] }[] {
  const problems = [];
  if ((check.path === undefined) === (check.url === undefined)) {
    const message = words('is not one request', 'Write either path (on the release) or url (of something else).');
    problems.push({ message, path: [] });
  }
  if (check.body !== undefined && (check.method === 'GET' || check.method === 'HEAD')) {
    problems.push({
      message: words(`is sent by no ${check.method}`, 'Write method: POST, or remove the body.'),
      path: ['body'],
    });
  }
  const looksIntoBody = check.contains !== undefined || Object.keys(check.expectJson).length > 0;
  if (check.method === 'HEAD' && looksIntoBody) {
    const message = words('gets no body to look into', 'Write method: GET, or remove contains and expectJson.');
    problems.push({ message, path: ['method'] });
  }
  return problems;
}

const target = z
  .string({
    error: words('is not a path or URL', 'Write a path such as /health/live, or a full URL without a password.'),
  })
  .max(2048)
  .refine((value) => /^\/[^\s#]*$/.test(value) || isHttpUrl(value), {
    error: words('is not a path or URL', 'Write a path such as /health/live, or a full URL without a password.'),
  })
  .meta({ title: 'path or URL' });

const httpCheck = z
  .union([
    target.transform((given) => httpSettings.parse(given.startsWith('/') ? { path: given } : { url: given })),
    httpSettings,
  ])
  .describe('A request: a path or full URL alone, or settings.');

const tcpSettings = settings({
  address: remoteAddress('db:5432').describe('Host and port.'),
  ...attempts,
}).meta({ id: 'TcpCheck' });

const tcpCheck = z
  .union([
    remoteAddress('db:5432').transform((address) => tcpSettings.parse({ address: addressText(address) })),
    tcpSettings,
  ])
  .describe('A connection: host and port alone, or settings.');

function addressText(address: { readonly host: string; readonly port: number }): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

const commandSettings = settings({
  run: command().describe(
    'The program; it is told the release’s address in `SLUICE_HOST`, `SLUICE_PORT` and `SLUICE_URL`.',
  ),
  workingDirectory: text('./scripts').prefault('.').describe('Where it runs, relative to this file.'),
  ...slow,
}).meta({ id: 'CommandCheck' });

const commandCheck = z
  .union([command().transform((run) => commandSettings.parse({ run: [...run] })), commandSettings])
  .describe('A program that must end with exit code 0: the command alone, or settings.');

const openApiSettings = settings({
  path: requestPath('/openapi.json').describe('Path of the OpenAPI document (JSON or YAML) on the release under test.'),
  maxPaths: whole(1, 1000).prefault(50).describe('At most so many paths are asked.'),
  ...slow,
}).meta({ id: 'OpenApiCheck' });

const openApiCheck = z
  .union([requestPath('/openapi.json').transform((path) => openApiSettings.parse({ path })), openApiSettings])
  .describe(
    'The document can be read, and each GET path that needs no parameters answers as it says: its path alone, or settings.',
  );

export const validateSchema = z
  .array(oneKind('check', { http: httpCheck, tcp: tcpCheck, command: commandCheck, openapi: openApiCheck }), {
    error: words('is not a list of checks', 'Write a list such as [{ http: /health/live }].'),
  })
  .max(200, { error: words('is too long', 'Write at most 200 checks.') })
  .meta({ id: 'Checks' });
