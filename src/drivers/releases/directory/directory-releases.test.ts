import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { releaseDirectory } from '../../../base/release-path.ts';
import { type ContractFiles, releasesContract } from '../../../ports/releases.contract.ts';
import { createDirectoryReleases } from './directory-releases.ts';
import { removeTree } from './tree-copy.ts';

const clock = { now: () => Date.now(), sleep: async () => {} };

releasesContract({
  name: 'directory',
  async open() {
    const root = await mkdtemp(join(tmpdir(), 'sluice-releases-'));
    const store = join(root, 'store');
    return {
      releases: createDirectoryReleases({ directory: store, clock }),
      source: async (name, files) => {
        const directory = join(root, 'sources', name);
        await rm(directory, { recursive: true, force: true });
        await mkdir(directory, { recursive: true });
        for (const [path, text] of Object.entries(files)) {
          await mkdir(dirname(join(directory, path)), { recursive: true });
          await writeFile(join(directory, path), text);
        }
        return { kind: 'directory', directory, ignore: [] };
      },
      absent: async () => ({ kind: 'directory', directory: join(root, 'absent'), ignore: [] }),
      stored: (release) => filesOf(releaseDirectory(store, release)),
      close: () => removeTree(root),
    };
  },
});

async function filesOf(root: string): Promise<ContractFiles | undefined> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return undefined;
  const files: Record<string, string> = {};
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files[path.slice(root.length + 1)] = await readFile(path, 'utf8');
  }
  return files;
}
