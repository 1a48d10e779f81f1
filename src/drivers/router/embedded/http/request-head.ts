// The head of a request, parsed strictly; fields that concern one hop only are taken out.

import type { RequestFacts } from '../../../../core/routing/route-chooser.ts';
import { fieldRules, fieldValues, listMembers, parseLength, Refusal, scanFields, withoutFields } from './fields.ts';

export interface RequestHead extends RequestFacts {
  readonly method: string;
  /** In origin form (`/path?query`), or `*`. */
  readonly target: string;
  /** 0 for HTTP/1.0. */
  readonly minor: number;
  /** Undefined only in HTTP/1.0. */
  readonly host: string | undefined;
  /** The fields to forward, each with its CRLF; neither Host nor those of one hop are among them. */
  readonly lines: string;
  readonly chunked: boolean;
  /** Bytes of the body; 0 where there is none, and where it is chunked. */
  readonly length: number;
  /** Whether the client lets the connection stay open. */
  readonly keepAlive: boolean;
  /** The protocol that the client wants to change to. */
  readonly upgrade: string | undefined;
  readonly expectsContinue: boolean;
  readonly acceptsTrailers: boolean;
  /** What a proxy in front said about the client; counts only where it is trusted. */
  readonly forwarded: ForwardedFields;
}

export interface ForwardedFields {
  readonly for?: string;
  readonly proto?: string;
  readonly host?: string;
  readonly forwarded?: string;
}

interface Draft {
  minor: number;
  host: string | undefined;
  length: number | undefined;
  chunked: boolean;
  readonly connection: string[];
  upgrade: string | undefined;
  expectsContinue: boolean;
  acceptsTrailers: boolean;
  cookies: string | undefined;
  forwarded: { for?: string; proto?: string; host?: string; forwarded?: string };
}

const requestLine = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP\/(\d)\.(\d)\r\n/y;
const hostShape = /^[A-Za-z0-9._~!$&'()*+,;=%:[\]-]*$/;
const absoluteForm = /^https?:\/\/([^/?#@]+)([/?].*)?$/i;

const drop = (): boolean => false;
const joined = (before: string | undefined, value: string, separator: string): string =>
  before === undefined ? value : `${before}${separator}${value}`;

const known = fieldRules<Draft>({
  te: (draft, value) => {
    if (listMembers(value).includes('trailers')) draft.acceptsTrailers = true;
    return false;
  },
  host: (draft, value) => {
    if (draft.host !== undefined) return new Refusal(400, 'More than one Host.');
    if (!hostShape.test(value)) return new Refusal(400, 'The Host is malformed.');
    draft.host = value;
    return false;
  },
  // CGI programs would take it for the variable HTTP_PROXY.
  proxy: drop,
  cookie: (draft, value) => {
    draft.cookies = joined(draft.cookies, value, '; ');
    return true;
  },
  expect: (draft, value) => {
    if (value.toLowerCase() !== '100-continue') return new Refusal(417, 'Only 100-continue can be expected.');
    draft.expectsContinue = draft.minor > 0;
    return draft.expectsContinue;
  },
  upgrade: (draft, value) => {
    draft.upgrade = joined(draft.upgrade, value, ', ');
    return false;
  },
  forwarded: (draft, value) => {
    draft.forwarded.forwarded = joined(draft.forwarded.forwarded, value, ', ');
    return false;
  },
  connection: (draft, value) => {
    draft.connection.push(...listMembers(value));
    return false;
  },
  'keep-alive': drop,
  'content-length': (draft, value) => {
    const length = parseLength(value);
    if (length === undefined) return new Refusal(400, 'The Content-Length is malformed.');
    if (draft.length !== undefined) return new Refusal(400, 'More than one Content-Length.');
    draft.length = length;
    return true;
  },
  'x-forwarded-for': (draft, value) => {
    draft.forwarded.for = joined(draft.forwarded.for, value, ', ');
    return false;
  },
  'x-forwarded-host': (draft, value) => {
    draft.forwarded.host ??= value;
    return false;
  },
  'x-forwarded-proto': (draft, value) => {
    draft.forwarded.proto ??= value;
    return false;
  },
  'proxy-connection': drop,
  'transfer-encoding': (draft, value) => {
    if (draft.chunked) return new Refusal(400, 'More than one Transfer-Encoding.');
    if (value.toLowerCase() !== 'chunked') return new Refusal(501, 'No transfer encoding but chunked is served.');
    draft.chunked = true;
    return false;
  },
  'proxy-authenticate': drop,
  'proxy-authorization': drop,
});

/** `text` is the head from its first character to its empty line. */
export function parseRequestHead(text: string): RequestHead | Refusal {
  requestLine.lastIndex = 0;
  const match = requestLine.exec(text);
  if (match === null) return new Refusal(400, 'The request line is malformed.');
  const [line, method = '', rawTarget = '', major, minor] = match;
  if (major !== '1') return new Refusal(505, 'Only HTTP/1.0 and HTTP/1.1 are served.');
  const draft: Draft = {
    minor: Math.min(Number(minor), 1),
    host: undefined,
    length: undefined,
    chunked: false,
    connection: [],
    upgrade: undefined,
    expectsContinue: false,
    acceptsTrailers: false,
    cookies: undefined,
    forwarded: {},
  };
  const lines = scanFields(text, line.length, known, draft);
  if (typeof lines !== 'string') return lines;
  const target = originForm(method, rawTarget, draft);
  if (typeof target !== 'string') return target;
  const wrong = contradiction(draft);
  if (wrong !== undefined) return wrong;
  return finished(text, line.length, { method, target, lines }, draft);
}

function finished(
  text: string,
  fieldsFrom: number,
  parts: { readonly method: string; readonly target: string; readonly lines: string },
  draft: Draft,
): RequestHead {
  const { connection } = draft;
  const nominated = connection.length === 0 ? undefined : nominatedFields(connection);
  return {
    method: parts.method,
    target: parts.target,
    minor: draft.minor,
    host: draft.host,
    lines: nominated === undefined ? parts.lines : withoutFields(parts.lines, nominated),
    chunked: draft.chunked,
    length: draft.length ?? 0,
    keepAlive: draft.minor > 0 ? !connection.includes('close') : connection.includes('keep-alive'),
    upgrade: wantedUpgrade(draft),
    expectsContinue: draft.expectsContinue,
    acceptsTrailers: draft.acceptsTrailers,
    cookies: draft.cookies,
    forwarded: draft.forwarded,
    headerValues: (name) => fieldValues(text, fieldsFrom, name),
  };
}

/** The target in origin form; what names another host than the Host field is taken at its word. */
function originForm(method: string, target: string, draft: Draft): string | Refusal {
  if (method === 'CONNECT') return new Refusal(405, 'CONNECT is not served.');
  if (target.startsWith('/') || (target === '*' && method === 'OPTIONS')) return target;
  const match = absoluteForm.exec(target);
  if (match === null) return new Refusal(400, 'The request target is malformed.');
  const [, authority = '', path = ''] = match;
  if (!hostShape.test(authority)) return new Refusal(400, 'The request target is malformed.');
  // RFC 9112 3.2.2: the Host field must be there, but its value gives way to the target's.
  if (draft.host === undefined && draft.minor > 0) return new Refusal(400, 'The Host is missing.');
  draft.host = authority;
  return path.startsWith('/') ? path : `/${path}`;
}

function contradiction(draft: Draft): Refusal | undefined {
  if (draft.minor > 0 && draft.host === undefined) return new Refusal(400, 'The Host is missing.');
  if (draft.chunked && draft.length !== undefined)
    return new Refusal(400, 'Content-Length and Transfer-Encoding at once.');
  if (draft.chunked && draft.minor === 0) return new Refusal(400, 'Transfer-Encoding in HTTP/1.0.');
  return undefined;
}

/** Protected are the fields without which the message would mean something else. */
const neverNominated = new Set([
  'close',
  'keep-alive',
  'upgrade',
  'te',
  'content-length',
  'expect',
  'cookie',
  'authorization',
]);

/** The fields that Connection names as being for this hop only. */
function nominatedFields(connection: readonly string[]): ReadonlySet<string> | undefined {
  const names = connection.filter((name) => !neverNominated.has(name));
  return names.length === 0 ? undefined : new Set(names);
}

/** Upgrades to HTTP/2 are ignored: behind them, requests would pass unseen. One of a request with a body cannot be told apart from it. */
function wantedUpgrade(draft: Draft): string | undefined {
  const { upgrade, connection } = draft;
  if (upgrade === undefined || draft.minor === 0 || !connection.includes('upgrade')) return undefined;
  if (draft.chunked || (draft.length ?? 0) > 0) return undefined;
  return listMembers(upgrade).some((name) => name.startsWith('h2')) ? undefined : upgrade;
}
