// Tells the format of a log from its first lines.

import { isTitles } from './csv.ts';
import { isJsonRequest } from './json-lines.ts';

export const logFormats = ['trace', 'nginx', 'combined', 'common', 'haproxy', 'csv', 'json'] as const;

export type LogFormat = (typeof logFormats)[number];

/** Lines that are looked at, at most. */
const looked = 100;

/** Undefined when no line says it; `field` is the column of CSV that tells the release. NGINX writes the combined format, with whatever was added to it. */
export function detectFormat(lines: readonly string[], field?: string): LogFormat | undefined {
  for (const line of lines.slice(0, looked)) {
    if (/^\s*\{/.test(line)) return isJsonRequest(line) ? 'json' : 'trace';
    if (/ (?:-?\d+\/){4}\+?\d+ (?:-1|\d{3}) /.test(line)) return 'haproxy';
    if (/\[[^\]]{10,40}\] "/.test(line)) return 'nginx';
    if (line.includes(',') && isTitles(line, field)) return 'csv';
  }
  return undefined;
}
