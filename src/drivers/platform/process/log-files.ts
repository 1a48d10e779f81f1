// The output files of an instance and their rotation by copy and cut.

import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from '../../../base/system-error.ts';
import type { LogLine } from '../../../core/instance.ts';

export type Stream = LogLine['stream'];

export interface LogLimits {
  /** A file that is longer is rotated. */
  readonly maxBytes: number;
  /** Rotated copies kept per stream, each at most twice `maxBytes` long. */
  readonly copies: number;
}

export const defaultLogLimits: LogLimits = { maxBytes: 10 * 1024 * 1024, copies: 4 };

/**
 * A piece of a stream's output. Pieces are numbered from 1; the highest is the file being written. Of a rotated one the first
 * `skipped` bytes may be missing.
 */
export interface LogPiece {
  readonly number: number;
  readonly path: string;
  readonly skipped: number;
}

export function currentLog(directory: string, stream: Stream): string {
  return join(directory, `${stream}.log`);
}

/** The pieces of a stream, oldest first; the last one is the file being written. */
export async function logPieces(directory: string, stream: Stream): Promise<readonly LogPiece[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
  const rotated: LogPiece[] = [];
  for (const name of names) {
    const [, of, number, skipped] = /^(stdout|stderr)\.(\d+)-(\d+)\.log$/.exec(name) ?? [];
    if (of === stream) rotated.push({ number: Number(number), skipped: Number(skipped), path: join(directory, name) });
  }
  rotated.sort((a, b) => a.number - b.number);
  const number = (rotated.at(-1)?.number ?? 0) + 1;
  return [...rotated, { number, skipped: 0, path: currentLog(directory, stream) }];
}

/** Whether a stream's file is longer than it may be. */
export async function rotationDue(directory: string, stream: Stream, limits: LogLimits): Promise<boolean> {
  return (await sizeOf(currentLog(directory, stream))) > limits.maxBytes;
}

/**
 * Copies the file away (its newest part, when it is longer than twice `maxBytes`) and cuts it to nothing. The instance has it open for appending and notices
 * nothing; what it writes in the instant between the end of the copying and the cut is lost. The copy gets its final name after
 * the cut, so a reader never sees the same lines in two pieces. Only one controller may do this at a time.
 */
export async function rotate(directory: string, stream: Stream, limits: LogLimits): Promise<void> {
  await finishCutOff(directory, stream);
  const pieces = await logPieces(directory, stream);
  const current = pieces.at(-1);
  if (current === undefined) return;
  await removeOldest(pieces, limits.copies);
  const skipped = Math.max(0, (await sizeOf(current.path)) - 2 * limits.maxBytes);
  const copy = join(directory, `${stream}.copy-${skipped}`);
  await copyAndCut(current.path, copy, skipped);
  await rename(copy, join(directory, `${stream}.${current.number}-${skipped}.log`));
}

/** A controller was killed while it rotated: where the cut was done, its copy is the only one and gets its name now. */
async function finishCutOff(directory: string, stream: Stream): Promise<void> {
  const pieces = await logPieces(directory, stream);
  const current = pieces.at(-1);
  for (const name of await readdir(directory)) {
    const [, of, skipped] = /^(stdout|stderr)\.copy-(\d+)$/.exec(name) ?? [];
    if (of !== stream || current === undefined) continue;
    const copy = join(directory, name);
    const cut = (await sizeOf(current.path)) < Number(skipped) + (await sizeOf(copy));
    if (cut) await rename(copy, join(directory, `${stream}.${current.number}-${skipped}.log`));
    else await rm(copy, { force: true });
  }
}

/** Makes room first: rotation must also work, and help, on a disk that is nearly full. */
async function removeOldest(pieces: readonly LogPiece[], copies: number): Promise<void> {
  const rotated = pieces.slice(0, -1);
  for (const piece of rotated.slice(0, Math.max(0, rotated.length - copies + 1))) await rm(piece.path, { force: true });
}

async function copyAndCut(from: string, to: string, begin: number): Promise<void> {
  const source = await open(from, 'r+');
  try {
    const copy = await open(to, 'w', 0o640);
    try {
      // A full disk costs the copy, not the cut that frees the disk.
      await copyFrom(source, copy, begin).catch((error: unknown) => {
        if (!isCode(error, 'ENOSPC', 'EDQUOT')) throw error;
      });
      await source.truncate(0);
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}

async function copyFrom(source: FileHandle, copy: FileHandle, begin: number): Promise<void> {
  const block = Buffer.alloc(1024 * 1024);
  for (let at = begin; ;) {
    const { bytesRead } = await source.read(block, 0, block.length, at);
    if (bytesRead === 0) return;
    await copy.write(block, 0, bytesRead);
    at += bytesRead;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return 0;
    throw error;
  }
}
