// Finds the configuration file and reads its text; knows nothing of what it says.

import { lstat, open, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../base/failure.ts';
import { failureCatalogue } from '../base/failure-catalogue.ts';

export const configFileName = 'sluice.yaml';

/** Largest configuration file in bytes. */
export const largestFile = 1024 * 1024;

export interface LoadOptions {
  /** Where to begin looking, absolute. */
  readonly cwd: string;
  /** The file of `--config`, relative to `cwd`; without it `sluice.yaml` is looked for in `cwd` and upwards. */
  readonly config?: string | undefined;
}

export interface FoundConfig {
  /** Absolute. */
  readonly file: string;
  /** At most one byte beyond the largest allowed, which the parser then refuses. */
  readonly text: string;
}

/** Rejects with `config.missing` (also for a file that another user may have planted), `config.syntax` (not UTF-8) or `disk.failed`. */
export function findConfig(options: LoadOptions): Promise<FoundConfig> {
  return options.config === undefined ? find(options.cwd) : named(options.cwd, options.config);
}

async function named(cwd: string, config: string): Promise<FoundConfig> {
  const file = resolve(cwd, config);
  const text = await readBounded(file);
  if (text !== undefined) return { file, text };
  throw new Failure('config.missing', `There is no file ${file}`, {
    at: '--config',
    remedy: 'Name a file that exists, or write one with `sluice init`.',
  });
}

async function find(cwd: string): Promise<FoundConfig> {
  let misnamed: string | undefined;
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const file = join(directory, configFileName);
    if (await mayBePlanted(file)) throw planted(file);
    const text = await readBounded(file);
    if (text !== undefined) return { file, text };
    const other = join(directory, 'sluice.yml');
    if (misnamed === undefined && (await readBounded(other)) !== undefined) misnamed = other;
    if (dirname(directory) === directory) break;
  }
  const message = `There is no ${configFileName} in ${resolve(cwd)} or above it`;
  if (misnamed === undefined)
    throw new Failure('config.missing', message, { remedy: failureCatalogue['config.missing'].remedy });
  throw new Failure('config.missing', message, {
    at: misnamed,
    remedy: `Rename ${misnamed} to ${configFileName}, or name it with --config.`,
  });
}

/**
 * Whether another user may have put the file where we happen to look: /tmp is above many working directories, and what a
 * configuration names is run.
 */
async function mayBePlanted(file: string): Promise<boolean> {
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined || found.uid === 0 || found.uid === process.getuid?.()) return false;
  const folder = await stat(dirname(file)).catch(() => undefined);
  return folder !== undefined && (folder.mode & 0o002) !== 0;
}

function planted(file: string): Failure {
  const message = `${file} belongs to another user and lies in a directory that everybody may write to`;
  const remedy = 'Go to the directory of your own configuration; where you trust this file, name it with --config.';
  return new Failure('config.missing', message, { at: file, remedy });
}

/** The text of a file, or undefined when there is none; stops one byte beyond the largest allowed, which the parser then refuses. */
async function readBounded(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file, 'r');
    const chunks: Buffer[] = [];
    for (let left = largestFile + 1; left > 0;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(left, 65_536)));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    return decode(Buffer.concat(chunks), file);
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadable(file, code, thrown);
  }
}

function decode(bytes: Buffer, file: string): string {
  // A file that is too large is refused for its size, even where it was cut in the middle of a character.
  if (bytes.length > largestFile) return bytes.toString('latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('config.syntax', `${file} is not UTF-8 text`, { at: file, remedy: 'Save it as UTF-8.', cause });
  }
}

function unreadable(file: string, code: string | undefined, cause: unknown): Failure {
  if (code === 'EISDIR') {
    const remedy = `Name the file itself, such as ${join(file, configFileName)}.`;
    return new Failure('config.missing', `${file} is a directory`, { at: file, remedy, cause });
  }
  return new Failure('disk.failed', `${file} cannot be read (${code ?? String(cause)})`, {
    at: file,
    remedy: failureCatalogue['disk.failed'].remedy,
    cause,
  });
}
