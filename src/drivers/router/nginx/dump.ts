// What `nginx -T` says: the whole configuration, file by file. Only what a check needs is read out of it.

import { dirname, isAbsolute, join, matchesGlob } from 'node:path';

export interface DumpedFile {
  readonly path: string;
  readonly text: string;
}

const fileMark = /^# configuration file (.+):$/;

export function filesOf(dump: string): readonly DumpedFile[] {
  const files: { path: string; lines: string[] }[] = [];
  for (const line of dump.split('\n')) {
    const path = fileMark.exec(line)?.[1];
    if (path !== undefined) files.push({ path, lines: [] });
    else files.at(-1)?.lines.push(line);
  }
  return files.map(({ path, lines }) => ({ path, text: withoutComments(lines.join('\n')) }));
}

/** Whether NGINX reads this file, or will as soon as it is there. */
export function includes(files: readonly DumpedFile[], path: string): boolean {
  if (files.some((file) => file.path === path)) return true;
  const main = files[0];
  if (main === undefined) return false;
  const patterns = files.flatMap(({ text }) => directives(text, 'include'));
  return patterns.some((pattern) => {
    const absolute = isAbsolute(pattern) ? pattern : join(dirname(main.path), pattern);
    return absolute === path || matchesGlob(path, absolute);
  });
}

/** Whether a server in another file than this listens on the port. */
export function listensElsewhere(files: readonly DumpedFile[], include: string, port: number): boolean {
  return others(files, include).some(({ text }) =>
    directives(text, 'listen').some((value) => portOf(value.split(/\s+/)[0] ?? '') === port),
  );
}

/** Whether every server of this NGINX stands in this file, so that all requests are told of by its feed. */
export function isAlone(files: readonly DumpedFile[], include: string): boolean {
  return !others(files, include).some(({ text }) => /(?:^|[;{}\s])server\s*\{/.test(text));
}

/** The value of a directive of the main part, such as `pid` and `error_log`. */
export function mainDirective(files: readonly DumpedFile[], name: string): string | undefined {
  const main = files[0]?.text ?? '';
  const before = main.slice(0, /(?:^|[;}\s])http\s*\{/.exec(main)?.index ?? main.length);
  return directives(before, name)[0]?.split(/\s+/)[0];
}

function others(files: readonly DumpedFile[], include: string): readonly DumpedFile[] {
  return files.filter(({ path }) => path !== include);
}

function directives(text: string, name: string): readonly string[] {
  const pattern = new RegExp(`(?:^|[;{}\\s])${name}\\s+([^;{}]+);`, 'g');
  return [...text.matchAll(pattern)].map(([, value = '']) => value.trim().replaceAll(/^["']|["']$/g, ''));
}

function portOf(listen: string): number {
  if (listen.startsWith('unix:')) return 0;
  if (/^\d+$/.test(listen)) return Number(listen);
  const port = /:(\d+)$/.exec(listen)?.[1];
  return port === undefined ? 80 : Number(port);
}

function withoutComments(text: string): string {
  return text.replaceAll(/(^|\s)#[^\n]*/g, '$1');
}
