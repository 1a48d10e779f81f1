// Reads an OpenAPI document and plans what to ask: every GET path that can be asked without knowing anything more.

import { type Members, membersOf, type Resolve, resolver } from './reference.ts';

/** One request that the document promises an answer to. */
export interface Question {
  /** As in the document: `/items/{id}`. */
  readonly template: string;
  /** Path and query, filled in. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Status, `2XX` or `default` → what is promised. */
  readonly responses: Members;
}

export interface OpenApiPlan {
  readonly kind: 'plan';
  readonly version: string;
  readonly questions: readonly Question[];
  /** Paths that cannot be asked, and why. */
  readonly skipped: { readonly parameters: number; readonly credentials: number; readonly beyondLimit: number };
  readonly resolve: Resolve;
}

export interface Unfit {
  readonly kind: 'unfit';
  readonly reason: string;
}

export function planQuestions(document: unknown, maxPaths: number): OpenApiPlan | Unfit {
  const root = membersOf(document);
  const version = root?.['openapi'];
  if (root === undefined || typeof version !== 'string') {
    const older = root?.['swagger'];
    const seen = typeof older === 'string' ? ` (it is Swagger ${older.slice(0, 10)})` : '';
    return { kind: 'unfit', reason: `it is no OpenAPI 3 document${seen}` };
  }
  if (!/^3\.\d/.test(version)) return { kind: 'unfit', reason: `it is OpenAPI ${version.slice(0, 20)}, expected 3` };
  const resolve = resolver(root);
  const skipped = { parameters: 0, credentials: 0, beyondLimit: 0 };
  const questions: Question[] = [];
  for (const [template, item] of Object.entries(membersOf(root['paths']) ?? {})) {
    const asked = template.startsWith('/') ? questionOf(root, template, membersOf(resolve(item)), resolve) : undefined;
    if (asked === undefined) continue;
    if (typeof asked === 'string') skipped[asked] += 1;
    else if (questions.length >= maxPaths) skipped.beyondLimit += 1;
    else questions.push(asked);
  }
  return { kind: 'plan', version, questions, skipped, resolve };
}

/** The question of one path; why it cannot be asked; undefined where it has no GET. */
function questionOf(
  root: Members,
  template: string,
  item: Members | undefined,
  resolve: Resolve,
): Question | 'parameters' | 'credentials' | undefined {
  const operation = membersOf(item?.['get']);
  if (item === undefined || operation === undefined) return undefined;
  if (needsCredentials(operation['security'] ?? root['security'])) return 'credentials';
  const filled = fillIn(template, parametersOf(item, operation, resolve), resolve);
  if (filled === undefined) return 'parameters';
  const base = basePath(operation['servers'] ?? item['servers'] ?? root['servers']);
  const responses = membersOf(operation['responses']) ?? {};
  return { template, path: `${base}${filled.path}`, headers: filled.headers, responses };
}

/** A list of alternatives, of which an empty one stands for none being needed. */
function needsCredentials(security: unknown): boolean {
  if (!Array.isArray(security) || security.length === 0) return false;
  return security.every((alternative) => Object.keys(membersOf(alternative) ?? {}).length > 0);
}

/** An operation's own parameters replace those of its path that have the same name and place. */
function parametersOf(item: Members, operation: Members, resolve: Resolve): readonly Members[] {
  const byPlace = new Map<string, Members>();
  for (const list of [item['parameters'], operation['parameters']]) {
    for (const given of Array.isArray(list) ? list : []) {
      const parameter = membersOf(resolve(given));
      if (parameter !== undefined) byPlace.set(JSON.stringify([parameter['in'], parameter['name']]), parameter);
    }
  }
  return [...byPlace.values()];
}

interface Filled {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Path and headers with a value for each required parameter; undefined where the document gives none. */
function fillIn(template: string, parameters: readonly Members[], resolve: Resolve): Filled | undefined {
  let path = template;
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  for (const parameter of parameters) {
    const { name, in: place } = parameter;
    if (typeof name !== 'string' || (parameter['required'] !== true && place !== 'path')) continue;
    const value = exampleOf(parameter, resolve);
    if (value === undefined) return undefined;
    if (place === 'path') path = path.replaceAll(`{${name}}`, () => encodeURIComponent(value));
    else if (place === 'query') query.append(name, value);
    else if (place !== 'header' || !isHeader(name, value)) return undefined;
    else headers[name.toLowerCase()] = value;
  }
  // A name in braces that no parameter explains.
  if (/[{}]/.test(path)) return undefined;
  const search = query.toString();
  return { path: search === '' ? path : `${path}?${search}`, headers };
}

function isHeader(name: string, value: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\u0020-\u007e]*$/.test(value);
}

/** The first value that the document itself offers, as text; collections have no one way of being written. */
function exampleOf(parameter: Members, resolve: Resolve): string | undefined {
  const schema = membersOf(resolve(parameter['schema']));
  const examples = Object.values(membersOf(parameter['examples']) ?? {}).map(
    (one) => membersOf(resolve(one))?.['value'],
  );
  const schemaExamples: readonly unknown[] = Array.isArray(schema?.['examples']) ? schema['examples'] : [];
  const offered = [parameter['example'], ...examples, schema?.['example'], ...schemaExamples, schema?.['default']];
  const value = offered.find((one) => one !== undefined);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** The path below which the paths of the document lie: `/v1` for a server `https://api.example.com/v1/`. */
function basePath(servers: unknown): string {
  const server = Array.isArray(servers) ? membersOf(servers[0]) : undefined;
  const url = server?.['url'];
  if (server === undefined || typeof url !== 'string') return '';
  const variables = membersOf(server['variables']) ?? {};
  const whole = url.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => defaultOf(variables[name]));
  const anywhere = 'http://anywhere.invalid';
  return URL.canParse(whole, anywhere) ? new URL(whole, anywhere).pathname.replace(/\/+$/, '') : '';
}

function defaultOf(variable: unknown): string {
  const value = membersOf(variable)?.['default'];
  return typeof value === 'string' ? value : '';
}
