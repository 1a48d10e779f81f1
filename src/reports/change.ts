// What changed since a commit, by git: how much, of what kind, and which lines.

import { relative } from 'node:path';
import { Failure } from '../base/failure.ts';
import type { ChangeFacts } from '../core/decision/facts.ts';
import { git } from './git.ts';

/** Changed lines of the new files, by path below the root of the repository. */
export type ChangedLines = ReadonlyMap<string, ReadonlySet<number>>;

export interface Change {
  readonly facts: ChangeFacts;
  /** Absolute. */
  readonly root: string;
}

export interface ChangeQuestion {
  /** Only changes below it count. */
  readonly directory: string;
  /** What a person configured to compare with. */
  readonly base?: string | undefined;
  /** Hash of the commit that stable was deployed from, where it is known. */
  readonly stable?: string | undefined;
}

/** Undefined, with the reason, where git cannot say. Rejects with `report.invalid` where the configured base is no commit. */
export async function changeOf(question: ChangeQuestion): Promise<Change | { readonly why: string }> {
  const { directory } = question;
  const root = await git(directory, 'rev-parse', '--show-toplevel');
  if (root.kind === 'refused') return { why: root.why };
  const commit = await commitOf(directory, 'HEAD');
  if (commit === undefined) return { why: 'the repository has no commit yet' };
  const since = await baseOf(question);
  if (since === undefined) return { why: 'there is no earlier commit to compare with' };
  const counted = await git(directory, ...diff, '--numstat', '-z', since.commit, '--', '.');
  if (counted.kind === 'refused') return { why: counted.why };
  const facts = { commit, since: since.commit, basis: since.basis, ...countsOf(counted.text) };
  return { facts, root: root.text.trimEnd() };
}

const diff = ['diff', '--no-color', '--no-ext-diff', '--no-textconv', '--no-renames'] as const;

async function commitOf(directory: string, name: string): Promise<string | undefined> {
  const answer = await git(directory, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`);
  return answer.kind === 'answer' ? answer.text.trim() : undefined;
}

async function baseOf({
  directory,
  base,
  stable,
}: ChangeQuestion): Promise<{ readonly commit: string; readonly basis: ChangeFacts['basis'] } | undefined> {
  if (base !== undefined) {
    const commit = await commitOf(directory, base);
    if (commit !== undefined) return { commit, basis: 'configured' };
    throw new Failure('report.invalid', `${JSON.stringify(base)} names no commit here`, {
      at: 'confidence.base',
      remedy: 'Name a commit, tag or branch that this checkout has; a shallow one may need `git fetch`.',
    });
  }
  const ofStable = stable === undefined ? undefined : await commitOf(directory, stable);
  if (ofStable !== undefined) return { commit: ofStable, basis: 'stable' };
  const parent = await commitOf(directory, 'HEAD^');
  return parent === undefined ? undefined : { commit: parent, basis: 'parent' };
}

const migration = /(?:^|\/)(?:migrations?|migrate)\/[^/]/i;

/** Names that are written by tools; how many of their lines changed says nothing. */
const locks =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|poetry\.lock|Pipfile\.lock|uv\.lock|go\.sum|Cargo\.lock|Gemfile\.lock|composer\.lock)$/;
const manifests =
  /(?:^|\/)(?:package\.json|requirements[\w.-]*\.txt|pyproject\.toml|Pipfile|go\.mod|Cargo\.toml|Gemfile|pom\.xml|build\.gradle(?:\.kts)?|composer\.json)$/;

/** `added TAB deleted TAB path NUL`; `-` for both where the file is binary. */
function countsOf(text: string): Pick<ChangeFacts, 'files' | 'lines' | 'migrations' | 'dependencies'> {
  const counts = { files: 0, lines: 0, migrations: 0, dependencies: 0 };
  for (const row of text.split('\0')) {
    const [added = '', deleted = '', path] = row.split('\t');
    if (path === undefined) continue;
    const isLock = locks.test(path);
    counts.files += 1;
    if (!isLock) counts.lines += (Number(added) || 0) + (Number(deleted) || 0);
    if (migration.test(path)) counts.migrations += 1;
    if (isLock || manifests.test(path)) counts.dependencies += 1;
  }
  return counts;
}

/** Lines that are new or changed since the change's base; undefined where git cannot say. */
export async function changedLinesOf({ facts, root }: Change, directory: string): Promise<ChangedLines | undefined> {
  const below = relative(root, directory);
  const answer = await git(root, ...diff, '--unified=0', facts.since, '--', below === '' ? '.' : below);
  return answer.kind === 'refused' ? undefined : linesIn(answer.text);
}

/** Reads the heads of files and hunks; the lines of a hunk are counted off, because they may look like heads. */
function linesIn(patch: string): ChangedLines {
  const files = new Map<string, Set<number>>();
  let current: Set<number> | undefined;
  let left = 0;
  for (const line of patch.split('\n')) {
    if (left > 0 && /^[+-]/.test(line)) {
      left -= 1;
      continue;
    }
    left = 0;
    const file = /^\+\+\+ (?:b\/(.+?)|\/dev\/null)\t?$/.exec(line);
    if (file !== null) {
      current = file[1] === undefined ? undefined : (files.get(file[1]) ?? new Set());
      if (file[1] !== undefined && current !== undefined) files.set(file[1], current);
      continue;
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk === null) continue;
    const [deleted, from, added] = [Number(hunk[1] ?? 1), Number(hunk[2]), Number(hunk[3] ?? 1)];
    left = deleted + added;
    for (let offset = 0; offset < added; offset += 1) current?.add(from + offset);
  }
  return files;
}
