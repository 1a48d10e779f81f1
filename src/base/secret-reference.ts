// Secrets are named by where they lie, and read only at the moment they are needed.

import { open } from 'node:fs/promises';
import { isCode } from './system-error.ts';

/** Where a secret is read from; the secret itself is never part of a setting. */
export type SecretReference =
  | { /** Absolute path; one line end at its end is dropped. */ readonly fromFile: string }
  | { /** Name of a variable of this process. */ readonly fromEnvironment: string };

const longestBytes = 64 * 1024;

/** The secret, or why there is none, in words that quote nothing of it. */
export async function readSecret(
  reference: SecretReference,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly value: string } | { readonly problem: string }> {
  if ('fromFile' in reference) return readFileBounded(reference.fromFile);
  const value = variables[reference.fromEnvironment];
  if (value !== undefined && value !== '') return { value };
  return { problem: `the variable ${reference.fromEnvironment} is not set in the controller’s environment` };
}

/** The text of a small file without the line end that editors put behind it. */
export async function readFileBounded(
  path: string,
): Promise<{ readonly value: string } | { readonly problem: string }> {
  try {
    const file = await open(path);
    try {
      if (!(await file.stat()).isFile()) return { problem: `${path} is not a file` };
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(longestBytes + 1) });
      if (bytesRead > longestBytes) return { problem: `the file ${path} is larger than 64 KiB` };
      const value = buffer.toString('utf8', 0, bytesRead).replace(/\r?\n$/, '');
      return value === '' ? { problem: `the file ${path} is empty` } : { value };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { problem: `the file ${path} ${isCode(error, 'ENOENT') ? 'does not exist' : 'cannot be read'}` };
  }
}
