// Whether NGINX can serve a scope, found out without changing anything.

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

import { Failure } from '../../../base/failure.ts';
import { diskFailure, isCode } from '../../../base/system-error.ts';
import { type Address, addressName } from '../../../core/instance.ts';
import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import { askGeneration } from './ask.ts';
import { elsewhere } from './change.ts';
import { type DumpedFile, filesOf, includes, listensElsewhere } from './dump.ts';
import type { Files } from './files.ts';
import { includeInside } from './places.ts';
import type { Program } from './program.ts';

/** Returns the configuration that NGINX reads. Rejects with what is in the way, named. */
export async function checkNginx(
  spec: NginxRouterSpec,
  files: Files,
  program: Program,
): Promise<readonly DumpedFile[]> {
  const disk = await files.read();
  await checkWritable(files);
  const dumped = filesOf(await program.dump());
  if (dumped.length > 0 && !includes(dumped, includeInside(spec))) throw notIncluded(spec, dumped);
  // NGINX may still serve by an include whose removal is not through; the next change ends that.
  const model = disk?.model ?? (await files.readFormer());
  const serves = model === undefined ? undefined : await answers(spec, model.askToken);
  if (serves === true) return dumped;
  for (const address of spec.preview === undefined ? [spec.listen] : [spec.listen, spec.preview]) {
    await checkAddress(spec, address, dumped);
  }
  return dumped;
}

/** Undefined where nothing answers. */
async function answers(spec: NginxRouterSpec, token: string): Promise<boolean | undefined> {
  try {
    return (await askGeneration(spec, token)) !== undefined;
  } catch (error) {
    if (error instanceof Failure && error.code === 'router.unreachable') return undefined;
    throw error;
  }
}

async function checkWritable({ include, directory }: Files): Promise<void> {
  for (const path of [dirname(include), include, directory]) {
    try {
      await access(path, constants.W_OK | constants.R_OK);
    } catch (error) {
      if (isCode(error, 'ENOENT') && path !== dirname(include)) continue;
      throw diskFailure(error, path);
    }
  }
  if ((await stat(include).catch(() => undefined))?.isDirectory() === true) {
    throw new Failure('router.include', 'The include for NGINX is a directory.', {
      at: include,
      remedy: `Name a file, such as ${join(include, 'sluice.conf')}.`,
    });
  }
}

function notIncluded({ include }: NginxRouterSpec, dumped: readonly DumpedFile[]): Failure {
  return new Failure('router.include', `NGINX does not read ${include}: nothing in its configuration includes it.`, {
    at: dumped[0]?.path ?? include,
    remedy: `Write \`include ${dirname(include)}/*.conf;\` inside \`http { … }\` there, or name a file that is included.`,
  });
}

/** An address that another server of this NGINX has as well can be shared by name only. */
async function checkAddress(spec: NginxRouterSpec, address: Address, dumped: readonly DumpedFile[]): Promise<void> {
  if (listensElsewhere(dumped, includeInside(spec), address.port)) {
    if (spec.serverName === undefined) throw elsewhere(spec);
    return;
  }
  // The addresses of a container are not ours to try.
  if (spec.container === undefined) await checkFree(address);
}

function checkFree(address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      // NGINX's master may listen where we may not.
      if (error.code === 'EADDRINUSE') reject(taken(address));
      else resolve();
    });
    server.listen({ host: address.host, port: address.port }, () => server.close(() => resolve()));
  });
}

function taken(address: Address): Failure {
  return new Failure('port.taken', `${addressName(address)} is in use by another program than NGINX.`, {
    at: 'router.nginx.listen',
    remedy: 'Stop that program or choose another port.',
  });
}
