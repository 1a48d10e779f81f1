import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { releaseDirectory } from '../../../base/release-path.ts';
import type { ReleaseSource } from '../../../core/plan/spec.ts';
import { releaseId } from '../../../core/release-id.ts';
import type { Release, RunSpec } from '../../../core/release.ts';
import type { Releases } from '../../../ports/releases.ts';
import { createDirectoryReleases } from './directory-releases.ts';
import { ignoring } from './ignore.ts';
import { removeTree } from './tree-copy.ts';

const run: RunSpec = { command: ['node', 'server.js'], environment: {}, workingDirectory: '.', limits: {} };
const clock = { now: () => Date.now(), sleep: async () => {} };

interface Scene {
  readonly root: string;
  readonly from: string;
  readonly store: string;
  readonly releases: Releases;
  readonly source: (ignore?: readonly string[]) => ReleaseSource;
  /** Identifies and stages the source; returns the release and where its files are. */
  readonly stage: (ignore?: readonly string[]) => Promise<{ readonly release: Release; readonly files: string }>;
}

async function scene(context: TestContext): Promise<Scene> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-tree-')));
  context.after(() => removeTree(root));
  const [from, store] = [join(root, 'from'), join(root, 'store')];
  await mkdir(from);
  await writeFile(join(from, 'server.js'), 'serve()');
  const releases = createDirectoryReleases({ directory: store, clock });
  const source = (ignore: readonly string[] = []): ReleaseSource => ({ kind: 'directory', directory: from, ignore });
  const stage = async (ignore: readonly string[] = []) => {
    const release = await identified(releases, source(ignore));
    await releases.stage(release, source(ignore));
    return { release, files: releaseDirectory(store, release.id) };
  };
  return { root, from, store, releases, source, stage };
}

async function identified(releases: Releases, source: ReleaseSource): Promise<Release> {
  const artifact = await releases.identify(source);
  return { id: releaseId('shop', artifact, run), service: 'shop', artifact, run };
}

test('the digest is what it was in earlier versions', async (context) => {
  const { from, releases, source } = await scene(context);
  await mkdir(join(from, 'bin'));
  await writeFile(join(from, 'bin', 'tool'), '#!/bin/sh\n');
  await chmod(join(from, 'bin', 'tool'), 0o755);
  await symlink('bin/tool', join(from, 'tool'));
  const { digest } = await releases.identify(source());
  assert.equal(digest, 'sha256:fc808389f2c29f0b58fbca9fb295b90a05a78f5c644dd80691ad487310a218a8');
});

test('times, and modes other than the executable bit, do not count', async (context) => {
  const { from, releases, source } = await scene(context);
  const { digest } = await releases.identify(source());
  await utimes(join(from, 'server.js'), 1, 1);
  await chmod(join(from, 'server.js'), 0o600);
  assert.equal((await releases.identify(source())).digest, digest);
  await chmod(join(from, 'server.js'), 0o700);
  assert.notEqual((await releases.identify(source())).digest, digest);
});

test('a copy keeps executable bits, links and empty directories, and is read-only', async (context) => {
  const { from, stage } = await scene(context);
  await mkdir(join(from, 'bin'));
  await mkdir(join(from, 'empty'));
  await writeFile(join(from, 'bin', 'tool'), '#!/bin/sh\n');
  await chmod(join(from, 'bin', 'tool'), 0o755);
  await symlink('bin/tool', join(from, 'relative'));
  await symlink(join(from, 'bin', 'tool'), join(from, 'bin', 'absolute'));
  await symlink('not-there', join(from, 'dangling'));
  const { files } = await stage();
  const mode = async (path: string) => (await lstat(join(files, path))).mode & 0o777;
  assert.deepEqual(
    [await mode('server.js'), await mode('bin/tool'), await mode('bin'), await mode('empty'), await mode('.')],
    [0o444, 0o555, 0o555, 0o555, 0o555],
  );
  assert.equal(await readlink(join(files, 'relative')), 'bin/tool');
  assert.equal(await readlink(join(files, 'bin', 'absolute')), 'tool');
  assert.equal(await readlink(join(files, 'dangling')), 'not-there');
  assert.equal(await realpath(join(files, 'bin', 'absolute')), join(files, 'bin', 'tool'));
});

for (const target of ['../outside', '/etc/hostname', 'loop/../outside', '/']) {
  test(`a link to ${target} is refused by its name`, async (context) => {
    const { root, from, releases, source } = await scene(context);
    await writeFile(join(root, 'outside'), '');
    // With a link to the root itself, `loop/..` is outside although it looks as if it were inside.
    await symlink('.', join(from, 'loop'));
    await symlink(target, join(from, 'bad-link'));
    await assert.rejects(releases.identify(source()), { code: 'release.unsupported', at: 'bad-link' });
    assert.match((await releases.identify(source(['bad-link']))).digest, /^sha256:/);
  });
}

test('a socket and a named pipe are refused by their names', async (context) => {
  const { from, releases, source } = await scene(context);
  const server = createServer().listen(join(from, 'app.sock'));
  await once(server, 'listening');
  await assert.rejects(releases.identify(source()), { code: 'release.unsupported', message: /^app.sock is a socket/ });
  server.close();
  await once(server, 'close');
  await promisify(execFile)('mkfifo', [join(from, 'pipe')]);
  await assert.rejects(releases.identify(source()), { code: 'release.unsupported', message: /^pipe is a named pipe/ });
});

test(
  'a name that is not UTF-8 is refused',
  { skip: process.platform !== 'linux' && 'only Linux has such names' },
  async (context) => {
    const { from, releases, source } = await scene(context);
    await writeFile(Buffer.concat([Buffer.from(`${from}/bad-`), Buffer.of(0xff)]), '');
    await assert.rejects(releases.identify(source()), { code: 'release.unsupported', message: /not UTF-8/ });
  },
);

test('a release store inside of the release directory is refused', async (context) => {
  const { from } = await scene(context);
  const releases = createDirectoryReleases({ directory: join(from, 'state', 'releases'), clock });
  await mkdir(join(from, 'state', 'releases'), { recursive: true });
  const source = { kind: 'directory', directory: from, ignore: [] } as const;
  await assert.rejects(releases.identify(source), { code: 'release.unsupported', at: 'state/releases' });
  await releases.identify({ ...source, ignore: ['state'] });
});

test('a file where the directory should be is release.missing, and an image is plan.unsupported', async (context) => {
  const { from, releases } = await scene(context);
  const source = { kind: 'directory', directory: join(from, 'server.js'), ignore: [] } as const;
  await assert.rejects(releases.identify(source), { code: 'release.missing', message: /is not a directory/ });
  await assert.rejects(
    releases.identify({ kind: 'image', reference: 'shop:1.2', engine: { kind: 'socket', path: '/nowhere' } }),
    { code: 'plan.unsupported' },
  );
});

test('directories without any file are an empty release', async (context) => {
  const { from, releases, source } = await scene(context);
  await mkdir(join(from, 'a', 'b'), { recursive: true });
  await assert.rejects(releases.identify(source(['server.js'])), { code: 'release.empty' });
});

test('ignored names, paths and globs', () => {
  const ignored = ignoring(['.git', 'node_modules/.cache/', './dist/**/*.map', '*.log', '/top.txt', 'docs/']);
  const yes = ['.git', 'a/b/.git', 'node_modules/.cache', 'dist/x.map', 'dist/a/b/x.map', 'a.log', 'b/c.log', 'docs'];
  const no = ['.github', 'git', 'x/node_modules/.cache', 'x/dist/x.map', 'a.logs', 'node_modules', 'dist', 'docs2'];
  assert.deepEqual(
    yes.filter((path) => !ignored(path)),
    [],
  );
  assert.deepEqual(
    no.filter((path) => ignored(path)),
    [],
  );
  assert.equal(ignored('top.txt'), true);
  assert.equal(ignoring([''])('a'), false);
});

test('what is ignored is neither identified nor copied', async (context) => {
  const { from, stage } = await scene(context);
  const before = await stage(['.git', '*.log']);
  await mkdir(join(from, '.git'));
  await writeFile(join(from, '.git', 'HEAD'), 'x');
  await writeFile(join(from, 'debug.log'), 'x');
  const after = await stage(['.git', '*.log']);
  assert.equal(after.release.id, before.release.id);
  const plain = await stage();
  assert.deepEqual(await readdir(before.files), ['server.js']);
  assert.deepEqual((await readdir(plain.files)).sort(), ['.git', 'debug.log', 'server.js']);
});

test('a source that changes while it is copied is refused', async (context) => {
  const { from, releases, source } = await scene(context);
  for (let index = 0; index < 300; index += 1) await writeFile(join(from, `f${index}`), 'x');
  const release = await identified(releases, source());
  const staging = releases.stage(release, source());
  const changing = (async () => {
    for (let index = 299; index >= 0; index -= 1) await writeFile(join(from, `f${index}`), 'changed');
  })();
  // Whichever comes first: the release is staged as it was identified, or refused.
  const outcome = await staging.then(
    () => 'staged',
    (error: { readonly code?: string }) => error.code,
  );
  await changing;
  assert.ok(outcome === 'staged' || outcome === 'release.changed', outcome);
  assert.equal((await releases.list('shop')).length, outcome === 'staged' ? 1 : 0);
  await assert.rejects(createDirectoryReleases({ directory: `${from}-other`, clock }).stage(release, source()), {
    code: 'release.changed',
  });
});

test('nobody else can look into a copy before it is proved to be what was planned', async (context) => {
  const { from, store, releases, source } = await scene(context);
  const release = await identified(releases, source());
  // In place of a link to a secret that is there just while the copy is made.
  await writeFile(join(from, 'server.js'), 'changed');
  await mkdir(store);
  const modes: number[] = [];
  const { signal } = new AbortController();
  signal.throwIfAborted = () => {
    for (const folder of readdirSync(store, { recursive: true, encoding: 'utf8' })) {
      if (/[.]staging-[^/]+$/.test(folder)) modes.push(statSync(join(store, folder)).mode & 0o777);
    }
  };
  await assert.rejects(releases.stage(release, source(), signal), { code: 'release.changed' });
  assert.ok(modes.length > 0);
  assert.deepEqual(new Set(modes), new Set([0o700]));
});

test('a release in its place can be read by whoever its instances run as', async (context) => {
  const { files } = await (await scene(context)).stage();
  assert.equal((await stat(dirname(files))).mode & 0o777, 0o755);
  assert.equal((await stat(files)).mode & 0o777, 0o555);
});

test('a stage that was killed leaves nothing behind once another one ran', async (context) => {
  const { from, store, releases, source, stage } = await scene(context);
  for (let index = 0; index < 400; index += 1) await writeFile(join(from, `f${index}`), 'x'.repeat(100));
  const release = await identified(releases, source());
  const order = JSON.stringify({ directory: store, release, source: source() });
  const script = join(import.meta.dirname, 'fixture-stage.ts');
  const shop = join(store, 'shop');
  const names = () => readdir(shop).catch(() => []);
  const child = spawn(process.execPath, [script, order], { stdio: 'inherit' });
  while (!(await names()).some((name) => name.startsWith('.staging-'))) await sleep(1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await stage();
  const left = await names();
  assert.deepEqual(left, [release.id.slice(-12)]);
});

test('two processes that stage at once keep one copy', async (context) => {
  const { from, store, releases, source } = await scene(context);
  for (let index = 0; index < 100; index += 1) await writeFile(join(from, `f${index}`), 'x');
  const release = await identified(releases, source());
  const order = JSON.stringify({ directory: store, release, source: source() });
  const script = join(import.meta.dirname, 'fixture-stage.ts');
  const stage = async () => once(spawn(process.execPath, [script, order], { stdio: 'inherit' }), 'exit');
  const codes = await Promise.all([stage(), stage(), releases.stage(release, source())]);
  assert.deepEqual(codes.slice(0, 2), [
    [0, null],
    [0, null],
  ]);
  assert.deepEqual(await readdir(join(store, 'shop')), [release.id.slice(-12)]);
});

const root = process.getuid?.() === 0;

test(
  'a read-only copy can be removed without being root',
  { skip: root ? false : 'the other tests show it' },
  async (context) => {
    const { root: base, store, stage } = await scene(context);
    const { release, files } = await stage();
    await chmod(base, 0o755);
    await chown(store, 65_534, 65_534);
    for (const entry of await readdir(store, { recursive: true })) await chown(join(store, entry), 65_534, 65_534);
    const program = `
    import { createDirectoryReleases } from ${JSON.stringify(join(import.meta.dirname, 'directory-releases.ts'))};
    await createDirectoryReleases({ directory: ${JSON.stringify(store)}, clock: {} }).remove(${JSON.stringify(release.id)});
  `;
    const options = { uid: 65_534, gid: 65_534, cwd: '/' };
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], options);
    await assert.rejects(stat(files), { code: 'ENOENT' });
  },
);

test(
  'a full disk is disk.full, and nothing is kept',
  { skip: root ? false : 'only root can mount a small disk' },
  async (context) => {
    const { root: base, from, releases, source } = await scene(context);
    const exec = promisify(execFile);
    const small = join(base, 'small');
    await mkdir(small);
    const mounted = await exec('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', small]).then(
      () => true,
      () => false,
    );
    if (!mounted) return context.skip('this system does not let root mount');
    try {
      await writeFile(join(from, 'large'), Buffer.alloc(1024 * 1024, 'x'));
      const release = await identified(releases, source());
      const tiny = createDirectoryReleases({ directory: join(small, 'store'), clock });
      await assert.rejects(tiny.stage(release, source()), { code: 'disk.full' });
      assert.deepEqual(await tiny.list('shop'), []);
      assert.deepEqual(await readdir(join(small, 'store', 'shop')), []);
    } finally {
      await exec('umount', [small]);
    }
  },
);

test('a record that was changed by hand is told by its path', async (context) => {
  const { releases, stage, store } = await scene(context);
  const { release } = await stage();
  const path = join(store, 'shop', release.id.slice(-12), 'release.json');
  await writeFile(path, '{');
  await assert.rejects(releases.list('shop'), { code: 'disk.failed', at: path });
});

test('a copied source stays the same release', async (context) => {
  const { root: base, from, releases, source } = await scene(context);
  await symlink(join(from, 'server.js'), join(from, 'absolute'));
  const first = await releases.identify(source());
  const { files } = await (async () => {
    const release = await identified(releases, source());
    await releases.stage(release, source());
    return { files: releaseDirectory(join(base, 'store'), release.id) };
  })();
  await cp(files, join(base, 'again'), { recursive: true, verbatimSymlinks: true });
  const again = await releases.identify({ kind: 'directory', directory: join(base, 'again'), ignore: [] });
  assert.equal(again.digest, first.digest);
  assert.equal(await readFile(join(files, 'absolute'), 'utf8'), 'serve()');
});
