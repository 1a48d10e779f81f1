// What `init` proposes: read off the directory that it is run in.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

export interface FallbackAnswers {
  readonly service: string;
  readonly directory: string;
  readonly command: string;
}

/** Never rejects: what cannot be read is not proposed. */
export async function fallbackAnswers(cwd: string): Promise<FallbackAnswers> {
  const { name, scripts } = await packageOf(cwd);
  const start = scripts?.['start'];
  return {
    service: slug(name ?? basename(cwd)),
    directory: await builtDirectory(cwd),
    command: start !== undefined && /^[\w./ =@:-]+$/.test(start) ? start : 'node server.js',
  };
}

interface PackageFile {
  readonly name?: string | undefined;
  readonly scripts?: Readonly<Record<string, string>> | undefined;
}

async function packageOf(cwd: string): Promise<PackageFile> {
  try {
    const found: unknown = JSON.parse(await readFile(join(cwd, 'package.json'), 'utf8'));
    if (typeof found !== 'object' || found === null) return {};
    const { name, scripts } = found as { name?: unknown; scripts?: unknown };
    return {
      name: typeof name === 'string' ? name.replace(/^@[^/]*\//, '') : undefined,
      scripts: typeof scripts === 'object' && scripts !== null ? textsOf(scripts) : undefined,
    };
  } catch {
    // A proposal only: whoever has no readable package.json types the answer.
    return {};
  }
}

function textsOf(values: object): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

const builtDirectories = ['dist', 'build', 'out', 'public'];

async function builtDirectory(cwd: string): Promise<string> {
  const entries = await readdir(cwd, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return `./${builtDirectories.find((name) => names.includes(name)) ?? 'dist'}`;
}

/** Lower case letters, digits and dashes, as names of services are written. */
function slug(name: string): string {
  const text = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, 40);
  return text === '' ? 'service' : text;
}
