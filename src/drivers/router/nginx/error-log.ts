// What NGINX writes to its error log while it reads a configuration: nobody else hears why it refuses one.

import { open, stat } from 'node:fs/promises';

import { wordsOf } from './program.ts';

const readBytes = 65_536;

export class ErrorLog {
  readonly #path: string | undefined;
  #from = 0;

  /** `path`: undefined where it is not known. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** What was written before this does not count. */
  async begin(): Promise<void> {
    this.#from =
      this.#path === undefined
        ? 0
        : await stat(this.#path).then(
            ({ size }) => size,
            () => 0,
          );
  }

  /** Why a configuration was given up since then; empty as long as it was not. */
  async words(): Promise<string> {
    const lines = (await this.#read()).split('\n').filter((line) => line.includes('[emerg]'));
    // A port that is taken is tried several times before it is given up.
    if (lines.every((line) => line.includes('bind() to'))) return '';
    return wordsOf([...new Set(lines.map((line) => line.replace(/^.*\[emerg\] /, '')))].join('\n'));
  }

  async #read(): Promise<string> {
    if (this.#path === undefined) return '';
    try {
      const file = await open(this.#path, 'r');
      try {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(readBytes), 0, readBytes, this.#from);
        return buffer.toString('utf8', 0, bytesRead);
      } finally {
        await file.close();
      }
    } catch {
      // It belongs to root, as a rule; then NGINX's words are not to be had.
      return '';
    }
  }
}
