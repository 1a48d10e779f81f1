// Where a request goes: path, query and body of a route, from the request's fields and back.

/** The part of a route that says how requests travel. */
export interface Travel {
  readonly method: 'GET' | 'POST';
  readonly path: string;
}

export interface Target {
  /** Path and query. */
  readonly path: string;
  /** JSON, for a POST. */
  readonly body?: string | undefined;
}

const parameter = /:([a-z]+)/g;

/** How a request with these fields is sent. In a query a scope is `service` and `environment`, all else is its text. */
export function targetOf(route: Travel, request: object): Target {
  const fields = new Map<string, unknown>(Object.entries(request));
  const path = route.path.replace(parameter, (_, name: string) => {
    const value = encodeURIComponent(String(fields.get(name)));
    fields.delete(name);
    return value;
  });
  if (route.method === 'POST') return { path, body: JSON.stringify(Object.fromEntries(fields)) };
  const query = new URLSearchParams();
  for (const [name, value] of fields) putField(query, name, value);
  const text = query.toString();
  return { path: text === '' ? path : `${path}?${text}` };
}

function putField(query: URLSearchParams, name: string, value: unknown): void {
  if (name === 'scope' && typeof value === 'object' && value !== null) {
    for (const [part, text] of Object.entries(value)) putField(query, part, text);
  } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    query.set(name, String(value));
  }
}

const numbers = new Set(['limit', 'after', 'lastLines']);
const switches = new Set(['follow']);

/** The fields that path and query of a GET carry, for the route's schema to check. A name given twice is a list, which no schema takes. */
export function fieldsOf(
  parameters: Readonly<Record<string, string>>,
  query: URLSearchParams,
): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...parameters };
  const scope: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    const texts = query.getAll(name);
    const value = texts.length === 1 ? valueOf(name, texts[0] ?? '') : texts;
    if (name === 'service' || name === 'environment') scope[name] = value;
    else Object.defineProperty(fields, name, { value, enumerable: true });
  }
  return Object.keys(scope).length === 0 ? fields : { ...fields, scope };
}

function valueOf(name: string, text: string): unknown {
  if (numbers.has(name)) return /^\d{1,15}$/.test(text) ? Number(text) : text;
  if (switches.has(name)) return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}
