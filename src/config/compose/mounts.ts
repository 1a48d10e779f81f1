// `volumes`, `tmpfs`, `secrets` and `configs` of a service as mounts.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Mount } from '../../core/container.ts';
import type { ComposeProblems } from './problems.ts';
import type { ComposeFile, ComposeService } from './service-schema.ts';
import { bytes } from './values.ts';

export interface Project {
  readonly name: string;
  /** Absolute; what is relative in the file is relative to it. */
  readonly directory: string;
  readonly file: ComposeFile;
  readonly problems: ComposeProblems;
}

export function serviceMounts(service: ComposeService, project: Project): readonly Mount[] {
  return [
    ...(service.volumes ?? []).map((volume, index) =>
      typeof volume === 'string' ? shortVolume(volume, index, project) : longVolume(volume, index, project),
    ),
    ...(service.tmpfs ?? []).map((text) => tmpfs(text, project.problems)),
    ...(service.secrets ?? []).map((secret) => fileMount('secrets', secret, project)),
    ...(service.configs ?? []).map((config) => fileMount('configs', config, project)),
  ].filter((mount) => mount !== undefined);
}

function shortVolume(text: string, index: number, project: Project): Mount | undefined {
  const [source = '', target, options = '', ...more] = text.split(':');
  const path = ['volumes', index];
  if (target === undefined) return { kind: 'volume', target: source, readOnly: false };
  const known = options === '' ? [] : options.split(',');
  const strange = known.find((option) => !['ro', 'rw', 'cached', 'delegated', 'consistent'].includes(option));
  if (strange !== undefined || more.length > 0) {
    project.problems.refuse(path, `Sluice does not know the option ${JSON.stringify(strange ?? more.join(':'))}`);
    return undefined;
  }
  const readOnly = known.includes('ro');
  if (isPath(source)) return { kind: 'bind', source: absolute(source, project), target, readOnly };
  return namedVolume(source, { target, readOnly }, path, project);
}

type LongVolume = Exclude<NonNullable<ComposeService['volumes']>[number], string>;

function longVolume(given: LongVolume, index: number, project: Project): Mount | undefined {
  const { type, source, target, read_only: readOnly = false } = given;
  const path = ['volumes', index];
  if (type === 'tmpfs') {
    const { size, mode } = given.tmpfs ?? {};
    return {
      kind: 'tmpfs',
      target,
      readOnly,
      ...(size === undefined ? {} : { sizeBytes: size }),
      ...(mode === undefined ? {} : { mode }),
    };
  }
  if (type === 'bind' && source !== undefined)
    return { kind: 'bind', source: absolute(source, project), target, readOnly };
  if (type === 'volume') {
    return source === undefined
      ? { kind: 'volume', target, readOnly }
      : namedVolume(source, { target, readOnly }, path, project);
  }
  project.problems.refuse(path, `Sluice does not know volumes of the type ${JSON.stringify(type)}`);
  return undefined;
}

function namedVolume(
  key: string,
  where: { readonly target: string; readonly readOnly: boolean },
  path: readonly (string | number)[],
  { file, name, problems }: Project,
): Mount | undefined {
  if (!Object.hasOwn(file.volumes ?? {}, key)) {
    problems.add(path, `names the volume ${key}, which the file does not have`, `Write ${key}: under volumes.`);
    return undefined;
  }
  return { kind: 'volume', source: realName(key, file.volumes?.[key], name), ...where };
}

type Named = NonNullable<NonNullable<ComposeFile['networks']>[string]> | null | undefined;

/** External ones have their own names, the others have the project's before theirs. */
export function realName(key: string, given: Named, project: string): string {
  const external = given?.external;
  if (typeof external === 'object') return external.name;
  return given?.name ?? (external === true ? key : `${project}_${key}`);
}

function tmpfs(text: string, problems: ComposeProblems): Mount | undefined {
  const [target = '', options = ''] = text.split(':');
  let mount: Mount & { readonly kind: 'tmpfs' } = { kind: 'tmpfs', target, readOnly: false };
  for (const option of options === '' ? [] : options.split(',')) {
    const [name, value = ''] = option.split('=');
    const size = name === 'size' ? bytes.safeParse(value) : undefined;
    if (size?.success === true) mount = { ...mount, sizeBytes: size.data };
    else if (name === 'mode' && /^[0-7]{3,4}$/.test(value)) mount = { ...mount, mode: Number.parseInt(value, 8) };
    else if (name === 'ro') mount = { ...mount, readOnly: true };
    else if (name !== 'rw') problems.refuse(['tmpfs'], `Sluice does not know the option ${JSON.stringify(option)}`);
  }
  return mount;
}

const places = { secrets: '/run/secrets', configs: '' } as const;

/** Compose mounts the file of a secret, or of a configuration, where nothing else is said. */
function fileMount(
  kind: 'secrets' | 'configs',
  { source, target }: { readonly source: string; readonly target?: string | undefined },
  project: Project,
): Mount | undefined {
  const { file, problems } = project;
  const path = [kind, source];
  const given = file[kind]?.[source];
  if (given?.file === undefined) {
    const why = given === undefined ? 'the file does not have it' : 'Sluice takes it from a file only';
    problems.refuse(path, why);
    return undefined;
  }
  const inside = target ?? source;
  return {
    kind: 'bind',
    source: absolute(given.file, project),
    target: inside.startsWith('/') ? inside : `${places[kind]}/${inside}`,
    readOnly: true,
  };
}

function isPath(source: string): boolean {
  return source.startsWith('.') || source.startsWith('/') || source.startsWith('~');
}

export function absolute(path: string, { directory }: Pick<Project, 'directory'>): string {
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1));
  return resolve(directory, path);
}
