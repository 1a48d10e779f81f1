// Makes docs/reference/api.md and api.schema.json from the table of routes and its schemas.

import * as z from 'zod';
import { apiVersion, heartbeatMs, mediaTypes, requestBytes, versionHeader } from '../src/api/protocol.ts';
import { type CallRoute, type StreamRoute, calls, streams } from '../src/api/routes.ts';
import { type FailureCode, failureCatalogue } from '../src/base/failure-catalogue.ts';
import { statusOf } from '../src/server/answer.ts';
import { createMeters } from '../src/server/meters.ts';
import { generatedNotice, type ReferencePage, table } from './reference-page.ts';

type Route = CallRoute<unknown, unknown> | StreamRoute<unknown, unknown>;

type JsonSchema = Record<string, unknown>;

const introduction = `\`sluice server\` speaks HTTP on a unix socket (for its owner only) and on a loopback address. The CLI uses these routes and no
others; without a server it calls the same ones within its own process.

- **Version.** Every answer has the header \`${versionHeader}: ${apiVersion}\`. A request may have it too, and is refused when it names another version.
- **Token.** With SLUICE_TOKEN set, every route but \`/health\` needs \`Authorization: Bearer <token>\` on TCP. The unix socket needs none.
- **Web pages.** On loopback the server answers only to names of this machine, and never to pages of another origin.
- **Requests.** A GET carries its fields in the query (\`scope\` as \`service\` and \`environment\`), a POST as \`${mediaTypes.json}\`
  of at most ${requestBytes / 1024} KiB. Unknown fields are errors. The full schemas are in [api.schema.json](api.schema.json).
- **Failures** are \`{ code, message, remedy, at?, details? }\` with a status from [the list below](#failures); [failures.md](failures.md) has every code.
- **Streams** are \`${mediaTypes.lines}\`: one JSON object per line. An empty line comes every ${heartbeatMs / 1000} s while there is nothing to tell. A
  stream that ends badly has \`{ "failure": … }\` as its last line.`;

function ownRoutes(): string {
  const meters = createMeters().registry.getMetricsAsArray();
  const rows = meters.map(({ name, help }) => [`\`${name}\``, help]);
  return `## GET /health

Answers \`{ "status": "ok", "api": ${apiVersion} }\` while the server lives.

## GET /metrics

Metrics in the Prometheus text format, with the labels \`service\` and \`environment\`.

${table(['Metric', 'Meaning'], rows)}`;
}

export async function apiPages(): Promise<readonly ReferencePage[]> {
  const routes: readonly Route[] = [...Object.values(calls), ...Object.values(streams)] as readonly Route[];
  const requests = await Promise.all(routes.map(async (route) => [titleOf(route), await route.request()] as const));
  const parts = [
    '# HTTP API',
    generatedNotice('src/api/routes.ts'),
    introduction,
    ...(await Promise.all(routes.map(section))),
    ownRoutes(),
    `## Failures\n\n${statusTable()}\n\nA \`request.invalid\` is also told with 404, 405, 413 or 415 where that says more.`,
  ];
  const schemas = z.toJSONSchema(z.object(Object.fromEntries(requests)), {
    unrepresentable: 'any',
    io: 'input',
    reused: 'ref',
  });
  return [
    { path: 'docs/reference/api.md', text: `${parts.join('\n\n')}\n` },
    { path: 'docs/reference/api.schema.json', text: `${JSON.stringify(schemas, undefined, 2)}\n` },
  ];
}

function titleOf(route: Route): string {
  return `${route.method} ${route.path}`;
}

async function section(route: Route): Promise<string> {
  const schema: JsonSchema = z.toJSONSchema(await route.request(), { unrepresentable: 'any', io: 'input' });
  const needed = new Set(schema['required'] as readonly string[] | undefined);
  const fields = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const rows = fields.map(([name, field]) => [
    `\`${name}\``,
    valueText(field),
    needed.has(name) ? 'yes' : '',
    meaningOf(field),
  ]);
  return [
    `## ${titleOf(route)}`,
    route.summary,
    table(['Field', 'Value', 'Needed', 'Meaning'], rows),
    answerText(route),
  ].join('\n\n');
}

function answerText(route: Route): string {
  if (route.kind === 'call') return `Answers ${route.answer}.`;
  const events = ` Whoever accepts \`${mediaTypes.events}\` gets server-sent events instead, and may send \`Last-Event-ID\`.`;
  return `A stream; each line is ${route.answer}.${route.events ? events : ''}`;
}

function meaningOf(field: JsonSchema): string {
  return typeof field['description'] === 'string' ? field['description'] : '';
}

/** A value in a few words. */
function valueText(field: JsonSchema): string {
  const choices = (field['oneOf'] ?? field['anyOf']) as readonly JsonSchema[] | undefined;
  if (choices !== undefined) return choices.map(valueText).join(' or ');
  if (Array.isArray(field['enum'])) return field['enum'].map((value) => `\`${String(value)}\``).join(' or ');
  if (typeof field['const'] === 'string') return `\`"${field['const']}"\``;
  if (field['type'] === 'integer') return rangeText(Number(field['minimum']), Number(field['maximum']));
  if (field['type'] === 'boolean') return '`true` or `false`';
  if (field['type'] !== 'object') return 'text';
  const fields = Object.entries((field['properties'] ?? {}) as Record<string, JsonSchema>);
  if (fields.length > 5) return 'specification';
  return `{ ${fields.map(([name, inner]) => `${name}: ${valueText(inner)}`).join(', ')} }`;
}

function rangeText(minimum: number, maximum: number): string {
  return maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum} to ${maximum}`;
}

function statusTable(): string {
  const byStatus = Map.groupBy(Object.keys(failureCatalogue) as FailureCode[], statusOf);
  const rows = [...byStatus].sort(([a], [b]) => a - b);
  return table(
    ['Status', 'Codes'],
    rows.map(([status, codes]) => [String(status), codes.map((code) => `\`${code}\``).join(', ')]),
  );
}
