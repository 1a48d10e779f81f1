// One service of a Compose file as Sluice runs it, or everything in it that cannot be honoured.

import { basename } from 'node:path';
import { parseDocument, type Tags } from 'yaml';
import { configFailure } from '../problem.ts';
import { defined } from '../resolve-docker.ts';
import { isMap } from '../merge.ts';
import type { ComposedService } from './composed.ts';
import { attempt, serviceEnvironment } from './environment.ts';
import { interpolate, textOf } from './interpolate.ts';
import { absolute, type Project } from './mounts.ts';
import { ComposeProblems } from './problems.ts';
import { heededElsewhere, refusedKeys } from './refused.ts';
import { type ComposeFile, type ComposeService, fileSchema, serviceSchema } from './service-schema.ts';
import { serviceContainer, serviceNetworks, unlessZero } from './service-container.ts';
import { portOf, refuseValues } from './service-values.ts';
import { type EnvFile, lookupIn, projectVariables, type Variables } from './variables.ts';
import { yamlInteger } from './yaml-integer.ts';

export interface ComposeInput {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  /** The directory of the file, absolute. */
  readonly directory: string;
  readonly service: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `.env` beside the file, where there is one. */
  readonly dotenv: EnvFile | undefined;
  /** The text of a file; undefined: there is none. */
  readonly read: (path: string) => string | undefined;
  /** As the configuration has it: what Compose says otherwise is refused. */
  readonly instances: number;
  readonly stopGraceMs: number;
}

/** Throws `config.syntax` or `config.invalid`, naming everything that cannot be honoured. */
export function composeService(input: ComposeInput): ComposedService {
  const problems = new ComposeProblems();
  const found = readService(input, problems);
  if (found === undefined || problems.found.length > 0) throw configFailure(input.path, problems.found);
  return found;
}

function readService(input: ComposeInput, problems: ComposeProblems): ComposedService | undefined {
  const raw = readYaml(input.text, problems);
  if (raw === undefined) return undefined;
  const variables = projectVariables(input.environment, input.dotenv, problems);
  for (const key of ['include', 'models']) if (Object.hasOwn(raw, key)) problems.refuse([key], 'Sluice reads one file');
  const services = isMap(raw['services']) ? raw['services'] : {};
  const own = Object.hasOwn(services, input.service) ? services[input.service] : undefined;
  if (!isMap(own)) {
    const names = Object.keys(services).join(', ');
    problems.add(
      ['services'],
      `has no service ${JSON.stringify(input.service)}`,
      `The file has ${names === '' ? 'none' : names}.`,
    );
    return undefined;
  }
  const file = fileSchema.safeParse(putIn({ ...raw, services }, [], variables, problems));
  const checked = checkService(own, variables, problems);
  if (!file.success) {
    for (const { path, message } of file.error.issues) problems.add(path.map(String), message, 'Correct it.');
    return undefined;
  }
  if (checked === undefined) return undefined;
  const name = projectName(file.data.name, input, variables);
  const project: Project = { name, directory: input.directory, file: file.data, problems };
  return composed(input, checked, project, { own, variables });
}

function readYaml(text: string, problems: ComposeProblems): Readonly<Record<string, unknown>> | undefined {
  const customTags = (tags: Tags): Tags => [yamlInteger, ...tags];
  const document = parseDocument(text, { merge: true, prettyErrors: false, logLevel: 'error', customTags });
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) {
    problems.add([], `is not YAML that Sluice reads: ${error.message.split('\n', 1)[0] ?? ''}`, 'Correct it.');
    return undefined;
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: 300 });
    if (isMap(value) && isShallow(value, deepest)) return value;
  } catch (thrown) {
    problems.add(
      [],
      `cannot be unfolded: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      'Write repeats out.',
    );
    return undefined;
  }
  problems.add([], 'is no map of services, or nested too deeply', 'Name a Compose file.');
  return undefined;
}

const deepest = 50;

/** A repeat of what holds it has no end. */
function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

/** Services but the named one are left as they are: what is wrong with them is not our affair. */
function putIn(value: unknown, path: readonly string[], variables: Variables, problems: ComposeProblems): unknown {
  if (path.length === 1 && path[0] === 'services') return value;
  if (typeof value === 'string') return textOf(attempt(path, problems, () => interpolate(value, lookupIn(variables))));
  if (Array.isArray(value))
    return value.map((item, index) => putIn(item, [...path, String(index)], variables, problems));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, putIn(inner, [...path, name], variables, problems)]),
  );
}

function checkService(
  own: Readonly<Record<string, unknown>>,
  variables: Variables,
  problems: ComposeProblems,
): ComposeService | undefined {
  const read: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(own)) {
    if (key.startsWith('x-') || key === 'environment' || heededElsewhere.has(key)) continue;
    if (Object.hasOwn(refusedKeys, key)) problems.refuse([key], refusedKeys[key] ?? '');
    else if (!Object.hasOwn(serviceSchema.shape, key)) problems.refuse([key], 'Sluice does not know it');
    else read[key] = putIn(value, [key], variables, problems);
  }
  const parsed = serviceSchema.safeParse(read);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    for (const key of keys) problems.refuse([...issue.path.map(String), key], 'Sluice does not know it');
    if (keys.length === 0) problems.refuse(issue.path.map(String), 'it is not as Sluice reads it');
  }
  return undefined;
}

function composed(
  input: ComposeInput,
  service: ComposeService,
  project: Project,
  raw: { readonly own: Readonly<Record<string, unknown>>; readonly variables: Variables },
): ComposedService | undefined {
  const { problems } = project;
  refuseValues(input, service, problems);
  const files = envFiles(input, service, project);
  const environment = serviceEnvironment(raw.own['environment'], files, raw.variables, problems);
  const said = environment['PORT'];
  delete environment['PORT'];
  const port = portOf(service, typeof said === 'string' ? said : undefined);
  if (service.image === undefined) {
    problems.add(['image'], 'is missing', 'Name the image that `docker compose build` makes, or that is pulled.');
    return undefined;
  }
  const { limits } = service.deploy?.resources ?? {};
  const memoryBytes = unlessZero(service.mem_limit ?? limits?.memory);
  const networks = serviceNetworks(service, project);
  return {
    project: project.name,
    service: input.service,
    image: service.image,
    command: service.command ?? [],
    environment,
    limits: defined({ memoryBytes }),
    container: serviceContainer(service, project, { networks, limits }),
    names: [input.service, ...networks.flatMap(({ aliases }) => aliases)],
    neededBy: neededBy(input.service, project.file),
    ...defined({ user: service.user, port }),
  };
}

function envFiles(input: ComposeInput, service: ComposeService, project: Project): readonly EnvFile[] {
  const files: EnvFile[] = [];
  for (const { path, required } of service.env_file ?? []) {
    const file = absolute(path, project);
    const text = input.read(file);
    if (text !== undefined) files.push({ path: file, text });
    else if (required)
      project.problems.add(['env_file'], `names ${path}, which does not exist`, `Write ${file}, or remove it.`);
  }
  return files;
}

function neededBy(name: string, { services }: ComposeFile): readonly string[] {
  return Object.entries(services)
    .filter(([, other]) => {
      const given = isMap(other) ? other['depends_on'] : undefined;
      return Array.isArray(given) ? given.includes(name) : isMap(given) && Object.hasOwn(given, name);
    })
    .map(([other]) => other);
}

/** COMPOSE_PROJECT_NAME, or `name`, or the directory's name as far as a project may have it. */
function projectName(given: string | undefined, { directory }: ComposeInput, variables: Variables): string {
  const said = variables('COMPOSE_PROJECT_NAME')?.value;
  if (said !== undefined && said !== '') return said;
  if (given !== undefined && given !== '') return given;
  return basename(directory)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}
