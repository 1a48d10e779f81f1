// Writes the generated pages of docs/reference; with `--check` it writes nothing and fails when a page is not fresh.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiPages } from './reference-api.ts';
import { cliPage } from './reference-cli.ts';
import { configPages } from './reference-config.ts';
import { failuresPage } from './reference-failures.ts';
import type { ReferencePage } from './reference-page.ts';
import { statesPage } from './reference-states.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every generated page; a new generator is added here. */
export async function referencePages(): Promise<readonly ReferencePage[]> {
  return [...(await apiPages()), cliPage(), ...configPages(), failuresPage(), statesPage()];
}

/** The pages, by their path in the project, whose file is not what its generator makes. */
export async function stalePages(): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const page of await referencePages()) {
    if ((await readIfThere(`${root}${page.path}`)) !== page.text) stale.push(page.path);
  }
  return stale;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

async function writePages(): Promise<void> {
  for (const page of await referencePages()) {
    const file = `${root}${page.path}`;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, page.text);
  }
}

async function main(arguments_: readonly string[]): Promise<void> {
  if (!arguments_.includes('--check')) return writePages();
  const stale = await stalePages();
  if (stale.length === 0) return;
  const command = `node ${relative(process.cwd(), fileURLToPath(import.meta.url))}`;
  process.stderr.write(`These pages are not fresh; write them anew with \`${command}\`:\n  ${stale.join('\n  ')}\n`);
  process.exitCode = 1;
}

if (import.meta.main) await main(process.argv.slice(2));
