// The heads that the proxy sends: requests to instances, with what it knows about the client, and answers to clients.

import { addressName } from '../../../../core/instance.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** What is told to instances about the client side of a connection. */
export interface ClientFacts {
  /** IP address. */
  readonly address: string;
  readonly proto: 'http' | 'https';
  /** Where the client connected to, `host:port`; stands in for a Host that HTTP/1.0 leaves out. */
  readonly localName: string;
  /** The forwarded fields for the Host that was asked for last: most connections ask for one. */
  readonly last: { host: string; lines: string };
}

/** A client that came by IPv4 to an IPv6 socket is told by its IPv4 address. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

export function clientFacts(address: string | undefined, proto: 'http' | 'https', localName: string): ClientFacts {
  return { address: plainAddress(address ?? 'unknown'), proto, localName, last: { host: '', lines: '' } };
}

/** `host:port`, an IPv6 address in brackets; an IPv4 address that a socket of IPv6 names in its own way is told plainly. */
export function localName(host: string | undefined, port: number | undefined): string {
  return addressName({ host: plainAddress(host ?? ''), port: port ?? 0 });
}

export function requestHeadText(head: RequestHead, client: ClientFacts, trustForwarded: boolean): string {
  const host = head.host ?? client.localName;
  return (
    `${head.method} ${head.target} HTTP/1.1\r\nHost: ${host}\r\n${trustForwarded ? head.lines : withoutClaims(head.lines)}` +
    (head.chunked ? 'Transfer-Encoding: chunked\r\n' : '') +
    connectionLines(head) +
    (trustForwarded ? appendedForwarded(head, client, host) : ownForwarded(client, host)) +
    '\r\n'
  );
}

/**
 * What only a proxy may say about a client. Programs that turn names into variables (CGI, WSGI) read `_` as `-`, so a name with it
 * would stand beside the proxy's own.
 */
const claimLine = /^x[-_](?:forwarded(?:[-_][^:]*)?|real[-_]ip):.*\r\n/gim;
const claimStart = /^x[-_](?:forwarded|real)[-_:]/im;

/** The lines without those in which a client speaks as a proxy. */
function withoutClaims(lines: string): string {
  return claimStart.test(lines) ? lines.replaceAll(claimLine, '') : lines;
}

function connectionLines(head: RequestHead): string {
  if (head.upgrade !== undefined) return `Connection: upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  return head.acceptsTrailers ? 'TE: trailers\r\nConnection: TE\r\n' : '';
}

function ownForwarded(client: ClientFacts, host: string): string {
  const { address, proto, last } = client;
  if (last.host === host && last.lines !== '') return last.lines;
  last.host = host;
  last.lines =
    `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${host}\r\n` +
    `Forwarded: for=${forwardedNode(address)};host="${host}";proto=${proto}\r\n`;
  return last.lines;
}

function appendedForwarded(head: RequestHead, client: ClientFacts, host: string): string {
  const { address, proto } = client;
  const before = head.forwarded;
  const own = `for=${forwardedNode(address)};host="${host}";proto=${proto}`;
  return (
    `X-Forwarded-For: ${before.for === undefined ? address : `${before.for}, ${address}`}\r\n` +
    `X-Forwarded-Proto: ${before.proto ?? proto}\r\nX-Forwarded-Host: ${before.host ?? host}\r\n` +
    `Forwarded: ${before.forwarded === undefined ? own : `${before.forwarded}, ${own}`}\r\n`
  );
}

/** RFC 7239 section 6: an IPv6 address is bracketed and quoted. */
function forwardedNode(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address;
}

export interface AnswerOptions {
  /** Whether the proxy frames the body in chunks. */
  readonly chunked: boolean;
  /** Whether the client's connection stays open. */
  readonly keepAlive: boolean;
  /** How long the proxy keeps an idle connection; whole seconds. */
  readonly keepAliveSeconds: number;
  /** Lines that the proxy adds, each with its CRLF. */
  readonly added: string;
}

export function answerHeadText(head: ResponseHead, options: AnswerOptions): string {
  return (
    `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.lines}${options.added}` +
    (options.chunked ? 'Transfer-Encoding: chunked\r\n' : '') +
    (options.keepAlive
      ? `Connection: keep-alive\r\nKeep-Alive: timeout=${options.keepAliveSeconds}\r\n\r\n`
      : 'Connection: close\r\n\r\n')
  );
}

/** An interim answer (100, 103), or the 101 of an upgrade. */
export function interimHeadText(head: ResponseHead): string {
  const upgrade = head.status === 101 ? `Connection: upgrade\r\nUpgrade: ${head.upgrade ?? ''}\r\n` : '';
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.lines}${upgrade}\r\n`;
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** An answer of the proxy's own, whole. `date` as `toUTCString` writes it; `withBody` false for HEAD. */
export function ownAnswerText(
  status: number,
  message: string,
  options: { readonly date: string; readonly keepAlive: boolean; readonly withBody: boolean },
): string {
  const body = `${message}\n`;
  return (
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\nDate: ${options.date}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${body.length}\r\nConnection: ${options.keepAlive ? 'keep-alive' : 'close'}\r\n\r\n` +
    (options.withBody ? body : '')
  );
}
