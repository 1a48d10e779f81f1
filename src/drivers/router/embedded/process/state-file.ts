// The state file: what a proxy needs to be the same again after it was killed.

import { readFile } from 'node:fs/promises';

import { writeDurably } from '../../../../base/durable-file.ts';
import { Failure } from '../../../../base/failure.ts';
import { diskFailure, isCode } from '../../../../base/system-error.ts';
import { type ProxyState, stateSchema } from '../control/schema.ts';

/** Undefined where there is none; rejects with `store.corrupt` when it is not what a proxy wrote. */
export async function readState(path: string): Promise<ProxyState | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw diskFailure(error, path);
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Failure('store.corrupt', 'The state file of the built-in proxy is damaged.', {
      at: path,
      remedy: 'Move it away; the next deployment or rollback writes it anew.',
      cause: error,
    });
  }
}

/** Writes the newest state; several wishes that come during one write are met by the next. */
export class StateWriter {
  readonly #path: string;
  readonly #current: () => ProxyState;
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(path: string, current: () => ProxyState) {
    this.#path = path;
    this.#current = current;
  }

  /** Resolves when the state of this moment, or a later one, is on the disk; rejects with `disk.full` or `disk.failed`. */
  save(): Promise<void> {
    if (this.#writing === undefined) {
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
      });
      return this.#writing;
    }
    this.#next ??= this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.save();
      });
    return this.#next;
  }

  async #write(): Promise<void> {
    try {
      await writeDurably(this.#path, `${JSON.stringify(this.#current())}\n`);
    } catch (error) {
      throw diskFailure(error, this.#path);
    }
  }
}
