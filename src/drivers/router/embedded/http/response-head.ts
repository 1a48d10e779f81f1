// The head of an instance's answer, parsed strictly; fields that concern one hop only are taken out.

import { fieldRules, listMembers, parseLength, Refusal, scanFields, withoutFields } from './fields.ts';

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** The fields to forward, each with its CRLF. */
  readonly lines: string;
  readonly chunked: boolean;
  /** Bytes of the body; undefined where it is chunked or ends with the connection. */
  readonly length: number | undefined;
  /** Whether the connection can take another request. */
  readonly keepAlive: boolean;
  /** How long the instance says it keeps an idle connection; milliseconds. */
  readonly keepAliveMs: number | undefined;
  readonly upgrade: string | undefined;
}

interface Draft {
  status: number;
  minor: number;
  length: number | undefined;
  chunked: boolean;
  connection: readonly string[];
  keepAliveMs: number | undefined;
  upgrade: string | undefined;
}

const statusLine = /HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/y;

const known = fieldRules<Draft>({
  upgrade: (draft, value) => {
    draft.upgrade = value;
    return false;
  },
  connection: (draft, value) => {
    draft.connection = [...draft.connection, ...listMembers(value)];
    return false;
  },
  'keep-alive': (draft, value) => {
    const timeout = /(?:^|[ ,;])timeout=(\d{1,6})/i.exec(value)?.[1];
    if (timeout !== undefined) draft.keepAliveMs = Number(timeout) * 1000;
    return false;
  },
  'content-length': (draft, value) => {
    const length = parseLength(value);
    if (length === undefined || draft.length !== undefined) return new Refusal(502, 'The Content-Length is malformed.');
    draft.length = length;
    // An answer 204 has no body, whatever it says of its length.
    return draft.status !== 204;
  },
  'proxy-connection': () => false,
  'transfer-encoding': (draft, value) => {
    if (draft.chunked || value.toLowerCase() !== 'chunked')
      return new Refusal(502, 'The Transfer-Encoding is unknown.');
    draft.chunked = true;
    return false;
  },
});

/** `text` is the head from its first character to its empty line. Undefined when it is no proper answer. */
export function parseResponseHead(text: string): ResponseHead | undefined {
  statusLine.lastIndex = 0;
  const match = statusLine.exec(text);
  if (match === null) return undefined;
  const [line, minor, status, reason = ''] = match;
  const draft: Draft = {
    status: Number(status),
    minor: Number(minor),
    length: undefined,
    chunked: false,
    connection: [],
    keepAliveMs: undefined,
    upgrade: undefined,
  };
  const lines = scanFields(text, line.length, known, draft);
  if (typeof lines !== 'string') return undefined;
  if (draft.chunked && (draft.length !== undefined || draft.minor === 0)) return undefined;
  const { connection } = draft;
  const nominated = connection.filter((name) => !['close', 'keep-alive', 'upgrade', 'content-length'].includes(name));
  return {
    status: draft.status,
    reason,
    lines: nominated.length === 0 ? lines : withoutFields(lines, new Set(nominated)),
    chunked: draft.chunked,
    length: draft.length,
    keepAlive: draft.minor > 0 ? !connection.includes('close') : false,
    keepAliveMs: draft.keepAliveMs,
    upgrade: draft.upgrade,
  };
}
