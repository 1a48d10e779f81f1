// Where the program's own files lie: TypeScript below `src` in the repository, JavaScript below `dist` in the package.

import { findPackageJSON } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);

/** Of the repository or of the installed package. */
const root = dirname(packageFile());

/** `.ts` in the repository, `.js` in the package. */
export const ownExtension = extname(here);

/** The `package.json` of this program. */
export function packageFile(): string {
  // Not relative to this file: the package holds it inside a bundle that lies elsewhere.
  const found = findPackageJSON(import.meta.url);
  if (found === undefined) throw new Error(`no package.json above ${here}`);
  return found;
}

/** The absolute path of one of the program's own files that are started by their path; `name` is below `src`, without extension. */
export function ownProgram(name: string): string {
  return join(root, ownExtension === '.ts' ? 'src' : 'dist', `${name}${ownExtension}`);
}
