// Reads the Compose file that an environment names, and the files that it names in its turn.

import { closeSync, openSync, readSync, existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from '../../base/failure.ts';
import { isCode } from '../../base/system-error.ts';
import type { Config } from '../parse.ts';
import { composeService } from './compose-service.ts';
import type { ComposedService } from './composed.ts';

/** Largest file that is read; bytes. */
const largest = 1024 * 1024;

/** The files that Compose takes where it is given none; only over these does it lay others. */
const defaults = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];

/** Files that Compose lays over a default one, whichever the name of that is. */
const overrides = [
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
  'compose.override.yml',
  'compose.override.yaml',
];

/**
 * What the Compose file says of the environment's service; undefined where the environment names none. Throws `config.missing`,
 * `config.invalid` (with everything that cannot be honoured) or `disk.failed`.
 */
export function loadComposed(
  config: Config,
  environment: string,
  baseDirectory: string,
  variables: Readonly<Record<string, string | undefined>>,
): ComposedService | undefined {
  const settings = Object.hasOwn(config.environments, environment) ? config.environments[environment] : undefined;
  const { platform } = settings ?? {};
  if (settings === undefined || platform?.name !== 'docker') return undefined;
  const { compose, service } = platform.settings;
  if (compose === undefined) return undefined;
  const path = resolve(baseDirectory, compose);
  const directory = dirname(path);
  const text = readText(path);
  if (text === undefined) throw missing(path);
  if (defaults.includes(basename(path))) refuseOverride(directory);
  const dotenv = join(directory, '.env');
  const dotenvText = readText(dotenv);
  return composeService({
    path,
    text,
    directory,
    service: service ?? config.service,
    environment: variables,
    dotenv: dotenvText === undefined ? undefined : { path: dotenv, text: dotenvText },
    read: readText,
    instances: settings.instances,
    stopGraceMs: settings.stopGrace,
  });
}

function refuseOverride(directory: string): void {
  const found = overrides.map((name) => join(directory, name)).find((file) => existsSync(file));
  if (found === undefined) return;
  throw new Failure('config.invalid', `Compose lays ${found} over the file, and Sluice reads one file.`, {
    at: 'platform.docker.compose',
    remedy:
      'Write both as one beside them (`docker compose config --no-interpolate > compose.sluice.yml`) and name that one.',
  });
}

/** Undefined: there is none. */
function readText(path: string): string | undefined {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(largest + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length < buffer.length; length += read) {
        read = readSync(descriptor, buffer, length, buffer.length - length, length);
      }
      if (length > largest) throw tooLarge(path);
      return buffer.toString('utf8', 0, length);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (error instanceof Failure) throw error;
    throw new Failure('disk.failed', `${path} cannot be read.`, {
      at: path,
      remedy: 'Check its permissions.',
      cause: error,
    });
  }
}

function missing(path: string): Failure {
  return new Failure('config.missing', `There is no Compose file ${path}`, {
    at: 'platform.docker.compose',
    remedy: 'Correct the path; it is relative to sluice.yaml.',
  });
}

function tooLarge(path: string): Failure {
  return new Failure('config.invalid', `${path} is larger than 1 MiB`, { at: path, remedy: 'Name the right file.' });
}
