// How the running HAProxy was started, which tells what it loads and how it is checked and reloaded: on this machine or in a container.

import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';

import * as z from 'zod';

import { Failure } from '../../../../base/failure.ts';
import type { HaproxyRouterSpec } from '../../../../core/plan/spec.ts';
import { runCommand } from './run-command.ts';

export interface Loader {
  /** Sluice's directory, as HAProxy sees it. */
  readonly directory: string;
  /** Checks the configuration with `directory` in place of Sluice's; undefined: nobody knows how. */
  readonly checkCommand: ((directory: string) => readonly string[]) | undefined;
  /** Where relative paths of the command line begin. */
  readonly cwd?: string | undefined;
  /** Whether HAProxy shares this machine's network, as far as is known. */
  readonly ownNetwork: boolean;
}

/**
 * `pid`: of the process that answers the Runtime API, in its own numbering. Rejects with `router.setup` where HAProxy does not
 * load the directory.
 */
export async function findLoader(spec: HaproxyRouterSpec, pid: number): Promise<Loader> {
  return spec.reload.kind === 'container' ? inContainer(spec, spec.reload.container) : onThisMachine(spec, pid);
}

async function onThisMachine(spec: HaproxyRouterSpec, pid: number): Promise<Loader> {
  const own = { directory: spec.directory, ownNetwork: true };
  const line = await commandLine(pid);
  if (line === undefined) return { ...own, ownNetwork: false, checkCommand: givenCheck(spec) };
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  assertLoads(spec, line, (path) => resolve(cwd ?? '/', path), spec.directory);
  const program = await readlink(`/proc/${pid}/exe`).catch(() => line[0] ?? 'haproxy');
  // A program that was replaced by an upgrade is called "… (deleted)".
  const [checked = 'haproxy'] = program.split(' (deleted)');
  const checkCommand =
    givenCheck(spec) ?? checkOf([checked], line, (path) => resolve(cwd ?? '/', path), spec.directory);
  return { ...own, checkCommand, cwd };
}

/** Undefined where it is no HAProxy of this machine: it runs in a container, or on another one. */
async function commandLine(pid: number): Promise<readonly string[] | undefined> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const words = text.split('\0').slice(0, -1);
  return basename(words[0] ?? '') === 'haproxy' ? words : undefined;
}

/** A HAProxy that has loaded the directory, in words, whether it answers or not; undefined: none is seen to run. */
export async function runningWith(spec: HaproxyRouterSpec): Promise<string | undefined> {
  const { reload, directory } = spec;
  if (reload.kind === 'container') {
    return (await isContainerGone(reload.container)) ? undefined : `container ${reload.container}`;
  }
  for (const name of await readdir('/proc').catch(() => [])) {
    const line = /^\d+$/.test(name) ? await commandLine(Number(name)) : undefined;
    if (line === undefined) continue;
    const cwd = await readlink(`/proc/${name}/cwd`).catch(() => '/');
    if (configArguments(line).some((path) => resolve(cwd, path) === resolve(directory))) return `process ${name}`;
  }
  return undefined;
}

/** False also where nobody can say: an engine that does not answer may have it running. */
async function isContainerGone(container: string): Promise<boolean> {
  const listed = await runCommand(['docker', 'container', 'ls', '--no-trunc', '--format', '{{.ID}} {{.Names}}']);
  if (!listed.ok) return false;
  const running = listed.output.split('\n').map((line) => line.split(/[\s,]+/));
  return !running.some(([id = '', ...names]) => id.startsWith(container) || names.includes(container));
}

const containerSchema = z.object({
  Path: z.string(),
  Args: z.array(z.string()).nullable(),
  State: z.object({ Running: z.boolean() }),
  HostConfig: z.object({ NetworkMode: z.string() }),
  Config: z.object({ WorkingDir: z.string().optional() }),
  Mounts: z.array(z.object({ Source: z.string(), Destination: z.string() })),
});

async function inContainer(spec: HaproxyRouterSpec, container: string): Promise<Loader> {
  const inspected = await runCommand(['docker', 'inspect', '--type', 'container', '--format', '{{json .}}', container]);
  if (!inspected.ok) throw noContainer(container, inspected.words);
  const parsed = containerSchema.safeParse(JSON.parse(inspected.output));
  if (!parsed.success) throw noContainer(container, 'docker described it in a way that is not understood');
  const { Path, Args, State, Mounts, HostConfig, Config } = parsed.data;
  if (!State.Running) throw noContainer(container, 'it is not running');
  const mount = Mounts.filter(({ Source }) => isWithin(Source, spec.directory)).toSorted(
    (a, b) => b.Source.length - a.Source.length,
  )[0];
  if (mount === undefined) {
    throw new Failure('router.setup', `The container ${container} does not see ${spec.directory}.`, {
      at: 'router.haproxy.directory',
      remedy: `Mount it, such as \`--volume ${spec.directory}:/etc/haproxy/sluice\`, and start HAProxy there with \`-f /etc/haproxy/sluice\`.`,
    });
  }
  const directory = join(mount.Destination, spec.directory.slice(mount.Source.length));
  assertPlain(directory);
  const words = [Path, ...(Args ?? [])];
  const start = words.findIndex((word) => basename(word) === 'haproxy');
  const line = start < 0 ? words : words.slice(start);
  const absolute = (path: string): string => resolve(Config.WorkingDir || '/', path);
  assertLoads(spec, line, absolute, directory);
  const check =
    givenCheck(spec) ?? checkOf(['docker', 'exec', container, line[0] ?? 'haproxy'], line, absolute, directory);
  return { directory, checkCommand: check, ownNetwork: HostConfig.NetworkMode === 'host' };
}

/** The path stands in the configuration as it is. */
function assertPlain(directory: string): void {
  if (/^[A-Za-z0-9_./+@=-]+$/.test(directory)) return;
  throw new Failure('router.setup', `HAProxy cannot be given the path ${JSON.stringify(directory)}.`, {
    at: 'router.haproxy.directory',
    remedy: 'Mount it where the path has letters, digits and . _ - + @ = only.',
  });
}

function noContainer(container: string, words: string): Failure {
  return new Failure('router.unreachable', `The container ${container} of HAProxy cannot be used: ${words}`, {
    at: 'router.haproxy.reload.container',
    remedy: 'Start it, or correct its name.',
  });
}

function isWithin(outer: string, path: string): boolean {
  return path === outer || path.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);
}

/** The files and directories that HAProxy was told to load. */
function configArguments(line: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (let index = 1; index < line.length; index += 1) {
    const word = line[index] ?? '';
    if (word === '--') return [...found, ...line.slice(index + 1)];
    if (word === '-f') found.push(line[index + 1] ?? '');
    // Process ids follow `-sf` and `-st`, up to the next option.
    if (withValue.has(word)) index += 1;
  }
  return found;
}

const withValue = new Set(['-f', '-C', '-L', '-p', '-S', '-x', '-m', '-n', '-N', '-t']);

function assertLoads(
  spec: HaproxyRouterSpec,
  line: readonly string[],
  absolute: (path: string) => string,
  directory: string,
): void {
  const loaded = configArguments(line);
  if (loaded.some((path) => absolute(path) === resolve(directory))) return;
  const shown = loaded.join(' and ') || 'no file that can be seen';
  throw new Failure('router.setup', `HAProxy does not load ${directory}: it was started with ${shown}.`, {
    at: 'router.haproxy.directory',
    remedy: `Start HAProxy with \`-f ${directory}\` as its last \`-f\` (on Debian: \`EXTRAOPTS="-f ${directory}"\` in /etc/default/haproxy), then restart it once.`,
    details: { directory: spec.directory, loaded },
  });
}

function checkOf(
  program: readonly string[],
  line: readonly string[],
  absolute: (path: string) => string,
  own: string,
): (directory: string) => readonly string[] {
  const files = configArguments(line);
  return (directory) => [
    ...program,
    '-c',
    ...files.flatMap((file) => ['-f', absolute(file) === resolve(own) ? directory : file]),
  ];
}

/** The user's own command, where `{directory}` stands for the directory that is checked. */
function givenCheck({ check }: HaproxyRouterSpec): ((directory: string) => readonly string[]) | undefined {
  return check === undefined
    ? undefined
    : (directory) => check.map((word) => word.replaceAll('{directory}', directory));
}
