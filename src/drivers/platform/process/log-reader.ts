// Reads one output stream of an instance: its newest lines, then what comes, across rotations and without reading whole files.

import { open } from 'node:fs/promises';
import { isCode } from '../../../base/system-error.ts';
import { maxLineBytes } from '../../../core/log-line.ts';
import { LineSplitter } from '../line-splitter.ts';
import { type LogPiece, logPieces, type Stream } from './log-files.ts';

const blockBytes = 64 * 1024;
/** How much is read at most to find the newest lines. */
const mostBytes = 16 * 1024 * 1024;
/** After so many polls without news, a line without line end is given as it is. */
const idlePolls = 5;

export class LogReader {
  readonly #directory: string;
  readonly #stream: Stream;
  readonly #splitter = new LineSplitter();
  /** The piece being read and how far, counted in bytes that the instance wrote to it. */
  #piece = 1;
  #offset = 0;
  #idle = 0;
  #shorter = false;

  constructor(directory: string, stream: Stream) {
    this.#directory = directory;
    this.#stream = stream;
  }

  /** The newest `count` lines; reading goes on behind them. A last line without line end counts unless it may still go on. */
  async newest(count: number, mayGoOn: boolean): Promise<readonly string[]> {
    const pieces = await logPieces(this.#directory, this.#stream);
    const current = pieces.at(-1);
    if (current === undefined) return [];
    const budget = Math.min(mostBytes, (count + 1) * (maxLineBytes + 1));
    const blocks: Buffer[] = [];
    let [bytes, ends] = [0, 0];
    this.#piece = current.number;
    this.#offset = await sizeOf(current);
    for (const piece of pieces.toReversed()) {
      let end = piece === current ? this.#offset : await sizeOf(piece);
      while (end > 0 && ends <= count && bytes < budget) {
        const begin = Math.max(0, end - blockBytes);
        const block = await readBlock(piece.path, begin, end - begin);
        blocks.unshift(block);
        bytes += block.length;
        ends += countLineEnds(block);
        end = begin;
      }
    }
    const lines = blocks.flatMap((block) => this.#splitter.push(block));
    const last = mayGoOn ? undefined : this.#splitter.flush();
    if (last !== undefined) lines.push(last);
    return count === 0 ? [] : lines.slice(-count);
  }

  /** The lines that were completed since the last call; call again at once while `more`. */
  async next(): Promise<{ readonly lines: readonly string[]; readonly more: boolean }> {
    const pieces = await logPieces(this.#directory, this.#stream);
    const newest = pieces.at(-1)?.number ?? 1;
    const piece = pieces.find(({ number }) => number >= this.#piece);
    if (piece === undefined) return { lines: [], more: false };
    this.#noticeGap(piece);
    const block = await readBlock(piece.path, this.#offset - piece.skipped, blockBytes);
    // Cut while it was read: these bytes may belong to either piece, so they are read again from the right one.
    if (piece.number === newest && (await newestPiece(this.#directory, this.#stream)) !== newest) {
      return { lines: [], more: true };
    }
    if (block.length > 0) {
      this.#idle = 0;
      this.#offset += block.length;
      return { lines: this.#splitter.push(block), more: true };
    }
    if (piece.number < newest) {
      this.#enter(piece.number + 1);
      return { lines: [], more: true };
    }
    await this.#noticeForeignCut(piece);
    return { lines: this.#pauseForUnended(), more: false };
  }

  /** Rotation was faster than this reader: goes on with the oldest bytes that are left. */
  #noticeGap(piece: LogPiece): void {
    if (piece.number > this.#piece) {
      this.#splitter.skip(false);
      this.#enter(piece.number);
    }
    if (this.#offset >= piece.skipped) return;
    this.#splitter.skip(true);
    this.#offset = piece.skipped;
  }

  /** A file that is still shorter than before at the second look was not rotated by us; it is read from its beginning. */
  async #noticeForeignCut(piece: LogPiece): Promise<void> {
    const shorter = (await sizeOf(piece)) < this.#offset;
    if (shorter && this.#shorter) {
      this.#splitter.skip(false);
      this.#offset = 0;
    }
    this.#shorter = shorter;
  }

  #enter(number: number): void {
    this.#piece = number;
    this.#offset = 0;
  }

  #pauseForUnended(): readonly string[] {
    this.#idle += 1;
    if (this.#idle < idlePolls) return [];
    const last = this.#splitter.flush();
    return last === undefined ? [] : [last];
  }
}

async function newestPiece(directory: string, stream: Stream): Promise<number | undefined> {
  return (await logPieces(directory, stream)).at(-1)?.number;
}

function countLineEnds(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(0x0a); at !== -1; at = block.indexOf(0x0a, at + 1)) count += 1;
  return count;
}

async function sizeOf(piece: LogPiece): Promise<number> {
  return withFile(piece.path, async (file) => (await file.stat()).size, 0);
}

/** Up to `length` bytes from `begin`; fewer at the end, none when the file is gone. */
async function readBlock(path: string, begin: number, length: number): Promise<Buffer> {
  return withFile(
    path,
    async (file) => {
      const block = Buffer.alloc(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(block, filled, length - filled, begin + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return block.subarray(0, filled);
    },
    Buffer.alloc(0),
  );
}

async function withFile<T>(
  path: string,
  act: (file: Awaited<ReturnType<typeof open>>) => Promise<T>,
  gone: T,
): Promise<T> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return gone;
    throw error;
  }
  try {
    return await act(file);
  } finally {
    await file.close();
  }
}
