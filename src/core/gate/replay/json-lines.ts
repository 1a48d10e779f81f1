// Reads access logs of one JSON object per line, as NGINX and others write them where they are told to.

import { nothing, unreadable, type LineParser } from './record.ts';
import type { ReleasePatterns } from './release-of.ts';
import { type Part, rowLine, titles, usualReleases } from './row.ts';

/** The names are those of CSV columns; `field` names another one for the release. */
export function createJsonParser(releases: ReleasePatterns = usualReleases, field = releases.field): LineParser {
  const wanted = { ...titles, release: field === undefined ? titles.release : [field.toLowerCase()] };
  return (line) => {
    if (line.trim() === '') return nothing;
    const object = objectIn(line);
    if (object === undefined) return unreadable('not a JSON object');
    const values = new Map(Object.entries(object).map(([name, value]) => [name.toLowerCase(), value]));
    const part = (name: Part): string | undefined => {
      const found = wanted[name].find((title) => values.has(title));
      const value = found === undefined ? undefined : values.get(found);
      return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : undefined;
    };
    const row = { time: part('time'), release: part('release'), status: part('status') };
    return rowLine({ ...row, milliseconds: part('milliseconds'), seconds: part('seconds') }, releases);
  };
}

function objectIn(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a line is a request of such a log rather than a line of a trace. */
export function isJsonRequest(line: string): boolean {
  const object = objectIn(line);
  if (object === undefined || 'v' in object || 'format' in object) return false;
  const names = Object.keys(object).map((name) => name.toLowerCase());
  return [titles.status, titles.time].every((known) => known.some((name) => names.includes(name)));
}
