// The records of all instances of one state directory: a directory for each, with its record, its exit and its output.

import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import { writeDurably } from '../../../base/durable-file.ts';
import { Failure } from '../../../base/failure.ts';
import { diskFailure, isCode } from '../../../base/system-error.ts';
import { ExitRecord, InstanceRecord } from './instance-record.ts';

export class InstanceRecords {
  readonly #root: string;

  constructor(stateDirectory: string) {
    this.#root = join(stateDirectory, 'instances');
  }

  /** Where the output of an instance lies. */
  directory(id: string): string {
    return join(this.#root, id);
  }

  /** All records, oldest start first. Rejects with `store.corrupt` for one that cannot be read. */
  async all(): Promise<readonly InstanceRecord[]> {
    const names = await readdir(this.#root).catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return [];
      throw diskFailure(error, this.#root);
    });
    const read = await Promise.all(
      names.map((name) => parseFile(join(this.#root, name, 'record.json'), InstanceRecord)),
    );
    return read
      .filter((record) => record !== undefined)
      .sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
  }

  async write(record: InstanceRecord): Promise<void> {
    const directory = this.directory(record.id);
    try {
      await mkdir(directory, { recursive: true, mode: 0o755 });
      await writeDurably(join(directory, 'record.json'), `${JSON.stringify(record, undefined, 2)}\n`);
    } catch (error) {
      throw diskFailure(error, directory);
    }
  }

  /** Why the start with this token ended, where a controller saw it. */
  async exit(id: string, token: string): Promise<string | undefined> {
    const record = await parseFile(join(this.directory(id), 'exit.json'), ExitRecord);
    return record?.token === token ? record.exit : undefined;
  }

  async writeExit(id: string, token: string, exit: string): Promise<void> {
    await writeDurably(join(this.directory(id), 'exit.json'), `${JSON.stringify({ token, exit })}\n`);
  }

  /** Forgets an instance and its output. The record goes first: without it the rest is only waste. */
  async remove(id: string): Promise<void> {
    await rm(join(this.directory(id), 'record.json'), { force: true });
    await rm(this.directory(id), { recursive: true, force: true, maxRetries: 3 });
  }

  /** Removes what a controller left behind that was killed while it made or removed an instance. */
  async removeWaste(): Promise<void> {
    const known = new Set((await this.all()).map((record) => record.id));
    const names = await readdir(this.#root).catch(() => []);
    for (const name of names) if (!known.has(name)) await this.remove(name);
  }
}

async function parseFile<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return undefined;
    throw diskFailure(error, path);
  }
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Failure('store.corrupt', 'The record of an instance cannot be read.', {
    at: path,
    remedy: 'Find the process by SLUICE_INSTANCE in its environment and end it, then remove this file.',
    cause: parsed.error,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
