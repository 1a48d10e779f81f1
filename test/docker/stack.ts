// Images of software that nobody here wrote, made of packages: Parse Server from the npm registry, PostgreSQL and Redis from Debian.

import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { buildImageOf, hasImage, importedImage, nodeImage, whereIs } from './image.ts';

const run = promisify(execFile);

/** Takes the same variables as the image that people use: POSTGRES_PASSWORD and POSTGRES_DB. */
const startPostgres = `#!/bin/sh
set -eu
data=/var/lib/postgresql/data/cluster
if [ ! -d "$data" ]; then
  echo "$POSTGRES_PASSWORD" >/tmp/password
  initdb --pgdata "$data" --username postgres --pwfile /tmp/password --auth scram-sha-256 --locale C --encoding UTF8 --no-sync
  echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D "$data" postgres
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
fi
exec postgres -D "$data" -c 'listen_addresses=*' -c unix_socket_directories=/tmp -c jit=off
`;

/** Where Debian puts PostgreSQL; undefined where it is not installed. */
function postgresDirectory(): string | undefined {
  const [program] = globSync('/usr/lib/postgresql/*/bin/postgres').toSorted().toReversed();
  return program === undefined ? undefined : dirname(dirname(program));
}

/** Why there can be no such images; false: there can. */
export async function withoutStack(): Promise<string | false> {
  if (postgresDirectory() === undefined) return 'missing: PostgreSQL; install postgresql';
  const redis = await whereIs('redis-server').catch(() => '');
  return redis === '' ? 'missing: redis-server' : false;
}

export async function postgresImage(): Promise<string> {
  const directory = postgresDirectory() ?? '';
  const version = directory.split('/').at(-1) ?? '';
  const programs = ['postgres', 'initdb', 'pg_isready'].map((name) => [
    `${directory.slice(1)}/bin/${name}`,
    `${directory}/bin/${name}`,
  ]);
  return importedImage(`sluice-test/postgres:${version}-1`, {
    programs: { ...Object.fromEntries(programs), 'bin/sh': '/bin/sh' },
    trees: [`${directory}/lib`, `/usr/share/postgresql/${version}`, '/usr/share/zoneinfo'].filter((path) =>
      existsSync(path),
    ),
    folders: ['var/lib/postgresql/data'],
    files: { 'start.sh': startPostgres, 'etc/passwd': 'postgres:x:999:999:postgres:/:/bin/sh\n' },
    changes: [`ENV PATH=/bin:${directory}/bin`, 'USER 999:999', 'ENTRYPOINT ["sh", "/start.sh"]'],
  });
}

/** Removes files that no program reads: an image with twenty thousand files takes its time. */
async function forget(directory: string, needless: RegExp): Promise<void> {
  const names = await readdir(directory, { recursive: true });
  await Promise.all(names.filter((name) => needless.test(name)).map((name) => rm(join(directory, name))));
}

export async function redisImage(): Promise<string> {
  const programs = { 'bin/redis-server': await whereIs('redis-server'), 'bin/redis-cli': await whereIs('redis-cli') };
  return importedImage('sluice-test/redis:1', {
    programs,
    changes: [
      'ENV PATH=/bin',
      'USER 65534',
      'WORKDIR /tmp',
      'CMD ["redis-server", "--protected-mode", "no", "--save", ""]',
    ],
  });
}

/** An image of each of two published versions; the second holds only what is other in it, on top of the first. */
export async function parseImages(first: string, second: string): Promise<readonly [string, string]> {
  const base = await nodeImage();
  const [before, after] = [first, second].map(
    (version) => `sluice-test/parse-server:${version}-${base.slice(-12)}`,
  ) as [string, string];
  if ((await hasImage(before)) && (await hasImage(after))) return [before, after];
  const directory = await mkdtemp(join(tmpdir(), 'sluice-parse-'));
  try {
    const installed = await install(directory, first);
    const start = 'WORKDIR /app\nENTRYPOINT ["node", "node_modules/parse-server/bin/parse-server"]\n';
    await writeFile(join(directory, 'Dockerfile'), `FROM ${base}\nCOPY app /app\n${start}`);
    await buildImageOf(before, directory);
    const changed = Object.entries(await install(directory, second)).filter(
      ([path, version]) => installed[path] !== version,
    );
    const layer = join(directory, 'layer');
    for (const [path] of changed) await cp(join(directory, 'app', path), join(layer, 'app', path), { recursive: true });
    await writeFile(join(layer, 'Dockerfile'), `FROM ${before}\nCOPY app /app\n`);
    await buildImageOf(after, layer);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return [before, after];
}

/** Installs it below `app`; the version of each package by its path there. */
async function install(directory: string, version: string): Promise<Readonly<Record<string, string | undefined>>> {
  const app = join(directory, 'app');
  await mkdir(app, { recursive: true });
  const options = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...options, '--prefix', app, `parse-server@${version}`], { cwd: directory });
  await forget(app, /\.(?:map|md|d\.[cm]?ts)$/);
  const lock = JSON.parse(await readFile(join(app, 'node_modules', '.package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string }>>;
  };
  return Object.fromEntries(Object.entries(lock.packages).map(([path, found]) => [path, found.version]));
}
