// Writes the demo's files: for each version a directory with its configuration and, under `dist`, the release itself.

import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownExtension, ownProgram } from '../base/own-files.ts';
import { scope, type Version } from './scope.ts';

export interface Ports {
  readonly service: number;
  readonly preview: number;
}

/** Makes `directory/v1` and so on, ready for `sluice deploy` in each. */
export async function writeVersions(directory: string, versions: readonly Version[], ports: Ports): Promise<void> {
  const program = programFile();
  for (const version of versions) {
    const dist = join(directory, version.version, 'dist');
    await mkdir(dist, { recursive: true });
    await copyFile(program.source, join(dist, program.name));
    const { version: name, fault } = version;
    await writeFile(join(dist, 'version.json'), `${JSON.stringify({ version: name, fault }, null, 2)}\n`);
    const config = configuration(version, [process.execPath, program.name], ports);
    await writeFile(join(directory, name, 'sluice.yaml'), config);
  }
}

/** A directory without a package.json needs the extension to say that it is a module. */
function programFile(): { readonly source: string; readonly name: string } {
  return { source: ownProgram('demo/service/shop'), name: `shop${ownExtension.replace('.', '.m')}` };
}

/** The text of a version's `sluice.yaml`. */
export function configuration(version: Version, command: readonly string[], ports: Ports): string {
  return `# The shop, ${version.version}. \`sluice plan\` shows what a deployment would do.
service: ${scope.service}
release:
  directory: ./dist
  command: ${JSON.stringify(command)}
health: { path: /health, interval: 250ms, timeout: 30s }
validate:
  - http: { path: /, contains: Welcome, within: 5s }
strategy:
  ${version.strategy}
gates:
  compare: low-traffic
  minSamples: 20
drain: 5s
stopGrace: 5s
router:
  embedded: { listen: "127.0.0.1:${ports.service}", preview: "127.0.0.1:${ports.preview}" }
environments:
  ${scope.environment}: {}
`;
}
