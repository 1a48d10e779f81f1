// Checks the text of a configuration file whole: YAML, every setting, and the rules between settings, for all environments at once.

import type { DeploySpec } from '../core/plan/spec.ts';
import { isMap, mergeEnvironment } from './merge.ts';
import { type ConfigDocument, fileProblem, readDocument } from './document.ts';
import { type FoundProblem, problemsFrom, valueAt } from './issues.ts';
import { largestFile } from './find.ts';
import { configFailure, mostNamed, type Path, pathText, type Problem } from './problem.ts';
import { deploySpec } from './resolve.ts';
import type { RuleProblem } from './rules/rule.ts';
import { settingsProblems } from './rules/settings-rules.ts';
import { specProblems } from './rules/spec-rules.ts';
import { listenProblems } from './rules/listen-rules.ts';
import { configSchema, mostEnvironments, onlyEnvironment, type Settings, settingsSchema } from './schema/config.ts';

/** A checked configuration: the settings of each environment, complete with their defaults. */
export interface Config {
  readonly service: string;
  readonly environments: Readonly<Record<string, Settings>>;
}

/** Rejects with `config.syntax` or `config.invalid` (or `release.mutable`), naming all problems. `file` is for messages only. */
export function parseConfig(text: string, file: string): Config {
  if (Buffer.byteLength(text) > largestFile) {
    throw configFailure(file, [
      fileProblem('The file is larger than 1 MiB', 'Name the right file; a configuration is far smaller.'),
    ]);
  }
  const document = readDocument(text);
  if (!('locate' in document)) throw configFailure(file, document);
  const raw = document.value;
  if (!isMap(raw)) throw configFailure(file, [notAMap(raw)]);
  const checked = checkSettings(raw, document);
  if ('problems' in checked) throw configFailure(file, checked.problems);
  const problems = ruleProblems(checked, raw, document);
  if (problems.length > 0) throw configFailure(file, problems);
  return checked;
}

function notAMap(raw: unknown): Problem {
  const empty = raw === null || raw === undefined;
  const message = empty ? 'The file is empty' : 'The file is not a map of settings';
  return { ...fileProblem(message, 'Write one with `sluice init`.'), code: 'config.invalid' };
}

function checkSettings(
  raw: Readonly<Record<string, unknown>>,
  document: ConfigDocument,
): Config | { readonly problems: readonly Problem[] } {
  const asWritten = configSchema.safeParse(raw);
  const problems: Problem[] = problemsFrom(asWritten.error?.issues ?? [], raw)
    .filter((problem) => !problem.missing || problem.place[0] === 'service')
    .map((problem) => placed(problem, document));
  // What is missing shows below; but nobody can be shown more problems than these.
  if (problems.length >= mostNamed) return { problems };
  const environments: Record<string, Settings> = {};
  for (const [name, own] of environmentsOf(raw)) {
    const merged = withRelease(mergeEnvironment(raw, own));
    const result = settingsSchema.safeParse(merged);
    if (result.success) environments[name] = result.data;
    else {
      // What is wrong as written was found above; only what is missing shows when all of an environment is together.
      const found = problemsFrom(result.error.issues, merged).filter((problem) => problem.missing || asWritten.success);
      problems.push(...found.map((problem) => placed(inFile(problem, raw, name), document)));
    }
  }
  if (problems.length > 0 || !asWritten.success) return { problems };
  return { service: asWritten.data.service, environments };
}

/** Where a Compose file says what is deployed, nothing about it must be said here. */
function withRelease(merged: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { platform, release } = merged;
  const docker = isMap(platform) ? platform['docker'] : undefined;
  return release === undefined && isMap(docker) && docker['compose'] !== undefined
    ? { ...merged, release: {} }
    : merged;
}

function isComposed({ platform }: Settings): boolean {
  return platform.name === 'docker' && platform.settings.compose !== undefined;
}

function environmentsOf(raw: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  // Beyond the limit, which the schema tells of, it would only take time.
  if (isMap(raw['environments'])) return Object.entries(raw['environments']).slice(0, mostEnvironments);
  return [[onlyEnvironment, undefined]];
}

/** The rules between settings, on what each environment comes to. */
function ruleProblems(config: Config, raw: unknown, document: ConfigDocument): readonly Problem[] {
  const specs: DeploySpec[] = [];
  const own: (RuleProblem & { readonly environment: string })[] = [];
  for (const [environment, settings] of Object.entries(config.environments)) {
    const spec = deploySpec(config.service, environment, settings, { baseDirectory: '/' });
    const problems = [...settingsProblems(settings), ...specProblems(spec)].filter(
      ({ path }) => !isComposed(settings) || path.join('.') !== 'release.image',
    );
    own.push(...problems.map((problem) => ({ ...problem, environment })));
    specs.push(spec);
  }
  return [...own, ...listenProblems(specs)].map((problem) => {
    const path = pathInFile(problem.path, raw, problem.environment);
    const position = document.locate(path, 'value');
    const message = `${pathText(path)}: ${problem.message}`;
    return { code: problem.code ?? 'config.invalid', path: pathText(path), message, remedy: problem.remedy, position };
  });
}

function placed(problem: FoundProblem, document: ConfigDocument): Problem {
  const { code, path, message, remedy } = problem;
  return { code, path, message, remedy, position: document.locate(problem.place, problem.what) };
}

/** A problem of a merged environment, at the place in the file that its value came from. */
function inFile(problem: FoundProblem, raw: unknown, environment: string): FoundProblem {
  const place = pathInFile(problem.place, raw, environment);
  const message = problem.message.replace(problem.path, () => pathText(place));
  return { ...problem, place, path: pathText(place), message };
}

/** Where the value at `path` of an environment stands: in its own block, or in the service's settings. */
function pathInFile(path: Path, raw: unknown, environment: string): Path {
  const own = ['environments', environment];
  if (valueAt(raw, own) === undefined) return path;
  for (let length = path.length; length > 0; length -= 1) {
    const part = path.slice(0, length);
    if (valueAt(raw, [...own, ...part]) !== undefined) return [...own, ...path];
    if (valueAt(raw, part) !== undefined) return path;
  }
  return [...own, ...path];
}
