// Reads a report whole, bounded in size, and says what is wrong with one that cannot be used.

import { readFile, stat } from 'node:fs/promises';
import { Failure } from '../base/failure.ts';

/** The largest report that is read; a tool that writes more than this writes something else. */
const largestBytes = 32 * 1024 * 1024;

/** Rejects with `report.invalid` where the file is missing, not a file, or too large. */
export async function readReport(file: string): Promise<string> {
  try {
    const { size, isFile } = await kindOf(file);
    // a pipe or a device may never come to an end
    if (!isFile) throw badReport(file, 'is not a file');
    if (size > largestBytes) throw badReport(file, `has ${size} bytes, more than ${largestBytes}`);
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    const { code, message } = thrown as NodeJS.ErrnoException;
    throw badReport(file, code === 'ENOENT' ? 'is not there' : `cannot be read: ${message}`, thrown);
  }
}

async function kindOf(file: string): Promise<{ readonly size: number; readonly isFile: boolean }> {
  const found = await stat(file);
  return { size: found.size, isFile: found.isFile() };
}

export function badReport(file: string, problem: string, cause?: unknown): Failure {
  return new Failure('report.invalid', `the report ${file} ${problem}`, {
    at: file,
    remedy: 'Let the checks write it before `sluice deploy`, or correct its path under `confidence.reports`.',
    cause,
  });
}

/** The value of a report in JSON. */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text.startsWith('\u{FEFF}') ? text.slice(1) : text);
  } catch (thrown) {
    throw badReport(file, `is not JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}`, thrown);
  }
}
