// Builds the package's `dist`: the programs as bundles, which start in half the time, and the ports with their suites as modules.
//
//   node scripts/build.ts DIRECTORY [TEST_PROGRAM…]

import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Metafile } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What stands under `dependencies` is installed with the package; everything else goes into the bundles. */
const { dependencies = {} } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  readonly dependencies?: Readonly<Record<string, string>>;
};
const target = resolve(process.argv[2] ?? join(root, 'dist'));
/** Programs of the tests that want to be as fast as what they test; paths in the repository, without extension. */
const testPrograms = process.argv.slice(3);

/** Started by their paths, so each keeps its place; what they share lies in chunks beside `main.js`. */
const programs = [
  'src/main.ts',
  'src/drivers/router/embedded/proxy-main.ts',
  'src/drivers/router/log-feed/receiver-main.ts',
  'src/demo/caretaker.ts',
];
/** Copied to other places, so it has to be whole. */
const copied = ['src/demo/service/shop.ts'];

const options = {
  absWorkingDir: root,
  bundle: true,
  external: Object.keys(dependencies),
  format: 'esm',
  platform: 'node',
  target: 'node24',
  outdir: target,
  outbase: 'src',
  metafile: true,
  logLevel: 'warning',
  // Some packages are CommonJS and ask for Node's own modules with `require`.
  banner: {
    js: `import { createRequire as sluiceRequire } from 'node:module';\nconst require = sluiceRequire(import.meta.url);`,
  },
} as const satisfies BuildOptions;

await rm(target, { recursive: true, force: true });
execFileSync(process.execPath, [
  join(root, 'node_modules/typescript/bin/tsc'),
  '-p',
  join(root, 'tsconfig.build.json'),
  '--outDir',
  target,
]);
const built = await Promise.all([
  build({ ...options, entryPoints: programs, splitting: true }),
  build({ ...options, entryPoints: copied, banner: {} }),
  ...(testPrograms.length === 0 ? [] : [buildTestPrograms()]),
]);
await writeFile(join(target, 'licences.txt'), await licences(built.map(({ metafile }) => metafile)));

/** Apart from the others, so that the package is the same with them. */
function buildTestPrograms() {
  const entryPoints = testPrograms.map((name) => `${name}.ts`);
  return build({ ...options, entryPoints, splitting: true, outdir: join(target, 'tests'), entryNames: '[name]' });
}

/** The licences of the packages that are inside the bundles, which have to go along with them. */
async function licences(metafiles: readonly Metafile[]): Promise<string> {
  const inputs = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const packages = new Set(inputs.flatMap((input) => packageOf(input) ?? []));
  const texts = await Promise.all([...packages].sort().map(licence));
  return `The programs in this folder contain these packages.\n\n${texts.join('\n')}`;
}

/** `node_modules/zod/v4/index.js` to `node_modules/zod`. */
function packageOf(input: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input.split(sep).join('/'))?.[0];
}

async function licence(folder: string): Promise<string> {
  const directory = join(root, folder);
  const { name, version, license } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license: string;
  };
  const [file] = globSync(join(directory, '{LICENSE,LICENCE,License,license}*'));
  const text = file === undefined ? `Licence: ${license}\n` : await readFile(file, 'utf8');
  return `${'-'.repeat(80)}\n${name} ${version} (${license})\n\n${text}`;
}
