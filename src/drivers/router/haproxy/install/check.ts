// Whether HAProxy could serve a scope with these settings, tried without changing anything.

import { createServer } from 'node:net';

import { Failure } from '../../../../base/failure.ts';
import { isCode } from '../../../../base/system-error.ts';
import { type Address, addressName } from '../../../../core/instance.ts';
import type { HaproxyRouterSpec } from '../../../../core/plan/spec.ts';
import { sameAddress } from '../../../../core/same-address.ts';
import type { Layout } from '../config/layout.ts';
import { infoValue, wrongLevel } from '../runtime/replies.ts';
import type { RuntimeSession } from '../runtime/session.ts';

/** The process that answers, in its own numbering. Rejects with `router.access` or `router.setup`. */
export async function checkRuntime(session: RuntimeSession): Promise<number> {
  const level = (await session.command('show cli level')).trim();
  if (level !== 'admin')
    throw wrongLevel(`its level is ${level.slice(0, 60) || 'not known'}, and orders need the level admin`);
  const info = await session.command('show info');
  const version = infoValue(info, 'Version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 4)) {
    throw new Failure('router.setup', `This is HAProxy ${version.slice(0, 40) || 'of an unknown version'}.`, {
      at: 'router.haproxy',
      remedy: 'Sluice needs HAProxy 2.4 or later.',
    });
  }
  return Number(infoValue(info, 'Pid') ?? Number.NaN);
}

/** Rejects with `port.taken`. `held`: the layout that HAProxy serves this scope with already. */
export async function checkAddresses(spec: HaproxyRouterSpec, held: Layout | undefined): Promise<void> {
  const ours = [held?.listen, held?.preview].filter((address) => address !== undefined);
  for (const address of [spec.listen, spec.preview]) {
    // Whether HAProxy can have an address in place of one of its own that overlaps it, only the reload shows.
    if (address !== undefined && !ours.some((own) => sameAddress(own, address))) await checkFree(address);
  }
}

function checkFree(address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      // HAProxy may be allowed what this process is not.
      if (isCode(error, 'EACCES', 'EPERM')) resolve();
      else reject(taken(address, error));
    });
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => server.close(() => resolve()));
  });
}

function taken(address: Address, error: NodeJS.ErrnoException): Failure {
  const at = addressName(address);
  if (isCode(error, 'EADDRINUSE')) {
    return new Failure('port.taken', `HAProxy could not listen on ${at}: another program does.`, {
      at,
      remedy: 'Stop that program, remove the frontend of yours that listens there, or choose another port.',
      cause: error,
    });
  }
  return new Failure('router.setup', `HAProxy could not listen on ${at}: ${error.message}.`, {
    at,
    remedy: 'Choose an address of this machine.',
    cause: error,
  });
}
