// The certificate of the traffic port: read from PEM files, read again when they change, and kept when new files are bad.

import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

import { Failure } from '../../../../base/failure.ts';

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface Pem {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads both files and tries them; rejects with `router.certificate`. */
export async function readCertificate(files: CertificateFiles): Promise<Pem> {
  const cert = await readPem(files.certificate);
  const key = await readPem(files.key);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new Failure('router.certificate', `The certificate and its key do not work together: ${reason(error)}.`, {
      at: files.certificate,
      remedy: `Give a PEM certificate (with its chain) and the key that belongs to it; the key is ${files.key}.`,
      cause: error,
    });
  }
  return { cert, key };
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Failure('router.certificate', `The file ${file} cannot be read: ${reason(error)}.`, {
      at: file,
      remedy: 'Correct the path under `tls`, or make the file readable for the user that runs Sluice.',
      cause: error,
    });
  }
}

/** A text that changes when one of the files does, also behind a symbolic link; undefined while one of them is missing. */
export async function certificateState(files: CertificateFiles): Promise<string | undefined> {
  try {
    const stats = await Promise.all([stat(files.certificate), stat(files.key)]);
    return stats.map((file) => `${file.dev}:${file.ino}:${file.size}:${file.mtimeMs}`).join(' ');
  } catch {
    return undefined;
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
