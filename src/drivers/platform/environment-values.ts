// Resolves the variables of a release, where references lead to files and variables of the controller; what every platform shares.

import { readFile, stat } from 'node:fs/promises';
import { Failure } from '../../base/failure.ts';
import { isCode } from '../../base/system-error.ts';
import { readVariablesFile } from '../../core/variables-file.ts';
import type { EnvironmentReference, EnvironmentValue, RunSpec } from '../../core/release.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

const longestValueBytes = 64 * 1024;
const longestVariablesBytes = 1024 * 1024;

/** The release's own variables, references resolved. Rejects with `instance.environment`, which never quotes a value. */
export async function releaseVariables(run: RunSpec, own: Variables): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(run.environment)) {
    variables[name] = await resolveValue(name, value, own);
  }
  return variables;
}

async function resolveValue(name: string, value: EnvironmentValue, own: Variables): Promise<string> {
  if (typeof value === 'string') return value;
  if (!('joined' in value)) return resolveReference(name, value, own);
  let text = '';
  for (const part of value.joined) text += typeof part === 'string' ? part : await resolveReference(name, part, own);
  return text;
}

async function resolveReference(name: string, reference: EnvironmentReference, own: Variables): Promise<string> {
  if ('fromFile' in reference) return readValue(name, reference.fromFile);
  if ('fromVariables' in reference) return readVariable(name, reference.fromVariables, reference.name);
  const found = own[reference.fromEnvironment];
  if (found !== undefined) return found;
  throw unresolved(name, `The variable ${reference.fromEnvironment} is not set in the controller’s environment`);
}

/** The file's text without the line end that editors put behind it. */
async function readValue(name: string, path: string): Promise<string> {
  const text = await readBounded(name, path, longestValueBytes);
  if (text.includes('\0')) throw unresolved(name, `The file ${path} holds a NUL character`);
  return text.replace(/\r?\n$/, '');
}

async function readVariable(name: string, path: string, wanted: string): Promise<string> {
  const { variables, problem } = readVariablesFile(await readBounded(name, path, longestVariablesBytes));
  const found = variables.get(wanted);
  if (found === undefined) {
    // Nobody can say what stands behind a line that cannot be read.
    const why = problem === undefined ? '' : `; line ${problem.line} of ${path} ${problem.message}`;
    throw unresolved(name, `The file ${path} has no line ${wanted}=… that can be read${why}`);
  }
  const { text, expands } = found;
  if (text.includes('\0')) throw unresolved(name, `The line ${wanted} of ${path} holds a NUL character`);
  // When the plan was made it had none: what it would stand for now nobody looked at.
  if (expands && text.includes('$'))
    throw unresolved(name, `The line ${wanted} of ${path} has another variable in it now`);
  return text;
}

async function readBounded(name: string, path: string, mostBytes: number): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw unresolved(name, `${path} is not a file`);
    if (found.size > mostBytes) throw unresolved(name, `The file ${path} is larger than ${mostBytes / 1024} KiB`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    const why = isCode(error, 'ENOENT') ? 'does not exist' : 'cannot be read';
    throw unresolved(name, `The file ${path} ${why}`, error);
  }
}

function unresolved(name: string, why: string, cause?: unknown): Failure {
  return new Failure('instance.environment', `${why}; the environment variable ${name} needs it.`, {
    at: `release.environment.${name}`,
    remedy: 'Provide it to the controller that starts the instances, or correct the reference.',
    cause,
  });
}
