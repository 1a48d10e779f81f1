// The credentials of a registry, out of the same file that `docker login` writes; read for each request and kept nowhere.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { registryOf } from './image-name.ts';

const DockerConfig = z.object({
  auths: z
    .record(z.string(), z.object({ auth: z.string().optional(), identitytoken: z.string().optional() }))
    .optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});

const HelperAnswer = z.object({ Username: z.string(), Secret: z.string() });

/** As the header `X-Registry-Auth` wants it; undefined: none are known, so the registry is asked without. */
export async function registryAuth(reference: string): Promise<string | undefined> {
  const registry = registryOf(reference);
  const config = await readConfig();
  if (config === undefined) return undefined;
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  const found = helper === undefined ? fromFile(config, registry) : await fromHelper(helper, registry);
  if (found === undefined) return undefined;
  // Engines want the padding that `base64url` leaves out, and take a header that they cannot read for none.
  const text = Buffer.from(JSON.stringify({ ...found, serveraddress: registry })).toString('base64');
  return text.replaceAll('+', '-').replaceAll('/', '_');
}

async function readConfig(): Promise<z.infer<typeof DockerConfig> | undefined> {
  const directory = process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker');
  try {
    return DockerConfig.parse(JSON.parse(await readFile(join(directory, 'config.json'), 'utf8')));
  } catch {
    // Nobody logged in here; the registry says whether that is enough.
    return undefined;
  }
}

function fromFile({ auths }: z.infer<typeof DockerConfig>, registry: string): object | undefined {
  const entry = auths?.[registry] ?? auths?.[`https://${registry}`];
  if (entry?.identitytoken !== undefined) return { identitytoken: entry.identitytoken };
  if (entry?.auth === undefined) return undefined;
  const text = Buffer.from(entry.auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** `docker-credential-<helper> get`: the registry on its input, the credentials on its output. */
function fromHelper(helper: string, registry: string): Promise<object | undefined> {
  const { promise, resolve } = Promise.withResolvers<object | undefined>();
  if (!/^[A-Za-z0-9._-]+$/.test(helper)) return Promise.resolve(undefined);
  const limits = { timeout: 10_000, maxBuffer: 65_536 };
  const child = execFile(`docker-credential-${helper}`, ['get'], limits, (error, stdout) => {
    const answer = error === null ? HelperAnswer.safeParse(parsed(stdout)) : undefined;
    if (answer?.success !== true) return resolve(undefined);
    const { Username, Secret } = answer.data;
    resolve(Username === '<token>' ? { identitytoken: Secret } : { username: Username, password: Secret });
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(registry);
  return promise;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
