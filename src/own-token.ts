// The token of a server that was given none: made once, and readable only by the user whose server it is.

import {
  closeSync,
  existsSync,
  fchmodSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isCode } from './base/system-error.ts';

/**
 * Everybody on a machine can reach its loopback addresses, and whoever may ask the server may run programs as its user. So TCP always
 * needs a token; the unix socket needs none, because only its owner can open it.
 */
export function ownToken(file: string): string {
  const known = readOwnToken(file);
  if (known !== undefined) return known;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Loaded with the first token: who only reads one does without.
  const { randomBytes } = process.getBuiltinModule('node:crypto');
  const temporary = `${file}.${process.pid}`;
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    fchmodSync(descriptor, 0o600);
    writeSync(descriptor, `${randomBytes(32).toString('hex')}\n`);
  } finally {
    closeSync(descriptor);
  }
  try {
    // A link, unlike a rename, leaves the token of a server that was faster.
    linkSync(temporary, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    unlinkSync(temporary);
  }
  return readOwnToken(file) ?? ownToken(file);
}

/** Undefined where no server made one, or it belongs to somebody else. */
export function readOwnToken(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const token = readFileSync(file, 'utf8').trim();
    return token === '' ? undefined : token;
  } catch (error) {
    if (isCode(error, 'EACCES', 'ENOENT')) return undefined;
    throw error;
  }
}
