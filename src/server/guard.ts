// What every request has to pass before it is looked at: the way it came, its token, its version of the contract.

import { createHash, timingSafeEqual } from 'node:crypto';
import { apiVersion, versionHeader } from '../api/protocol.ts';
import { Failure } from '../base/failure.ts';
import { failureCatalogue } from '../base/failure-catalogue.ts';

/** How a request reached the server; the listener says so, never the request itself. */
export interface Caller {
  /** Whoever can open the socket may ask everything. */
  readonly transport: 'unix' | 'tcp';
  /** The listener can be reached from this machine only. */
  readonly loopback: boolean;
}

/** A token of which only the digest is kept. */
export class Token {
  readonly #digest: Buffer;

  constructor(token: string) {
    if (token.trim() === '') {
      throw new Failure('server.token', 'The token is empty.', { remedy: 'Give SLUICE_TOKEN a value, or unset it.' });
    }
    this.#digest = digestOf(token);
  }

  /** Takes the same time whatever is offered. */
  isSame(offered: string): boolean {
    return timingSafeEqual(this.#digest, digestOf(offered));
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Throws `server.unauthorized` unless the request bears the token; a unix socket is guarded by its file's mode instead. */
export function assertToken(request: Request, token: Token | undefined, caller: Caller | undefined): void {
  if (token === undefined || caller?.transport === 'unix') return;
  const offered = /^Bearer ([^\s]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (offered !== undefined && token.isSame(offered)) return;
  const message = offered === undefined ? 'The request bears no token.' : 'The token is wrong.';
  throw new Failure('server.unauthorized', message, { remedy: failureCatalogue['server.unauthorized'].remedy });
}

const loopbackName = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * Throws `request.refused` for what a web page of another site could have sent through a browser on this machine: a name that was
 * made to point here (DNS rebinding), or a request that a page of another origin makes.
 */
export function assertOwnSite(request: Request, caller: Caller | undefined): void {
  const host = request.headers.get('host') ?? '';
  if (caller?.transport === 'tcp' && caller.loopback && !loopbackName.test(host)) {
    throw refused(`The server on this machine was called by the name ${JSON.stringify(host)}.`, 'host');
  }
  const origin = request.headers.get('origin');
  if (origin !== null && hostOf(origin) !== host) {
    throw refused(`A page of ${JSON.stringify(origin)} may not ask this server.`, 'origin');
  }
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function refused(message: string, at: string): Failure {
  return new Failure('request.refused', message, { at, remedy: failureCatalogue['request.refused'].remedy });
}

/** Throws `server.version` when the sender says that it speaks another version; one that says nothing is taken at its word. */
export function assertVersion(request: Request): void {
  const version = request.headers.get(versionHeader);
  if (version === null || version === String(apiVersion)) return;
  const message = `The client speaks version ${version.slice(0, 20)} of the contract, this server version ${apiVersion}.`;
  throw new Failure('server.version', message, {
    at: versionHeader,
    remedy: failureCatalogue['server.version'].remedy,
  });
}
