// Habits of the project that no lint knows: first lines, names, leftovers, links in the documentation.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { root, sources } from './sources.ts';

const code = sources(['src/**/*.ts', 'test/**/*.ts', 'scripts/**/*.ts', 'examples/**/*.{ts,mjs}']);

describe('habits', () => {
  it('every file opens with one sentence on its job', () => {
    // The names of tests are sentences already.
    const files = code.filter(({ path }) => !path.endsWith('.test.ts'));
    const without = files.filter(({ text }) => !/^(?:#!.*\n)?\/\/ .+[.:;,)]?\n/.test(text));
    assert.ok(files.length > 100);
    assert.deepEqual(
      without.map(({ path }) => path),
      [],
      'begin the file with `// What it is for.`',
    );
  });

  it('no folder or file is called after nothing in particular', () => {
    const vague = code.filter(({ path }) => /(?:^|\/)(?:utils?|helpers?|common|misc|lib)(?:\/|\.ts$)/.test(path));
    assert.deepEqual(
      vague.map(({ path }) => path),
      [],
      'name it after its concept',
    );
  });

  it('nothing is left for later', () => {
    // Written so that this file does not find itself.
    const leftover = /\b(?:TOD[O]|FIXM[E]|XX[X]|not implemente[d])\b/;
    const leftovers = code.filter(({ text }) => leftover.test(text));
    assert.deepEqual(
      leftovers.map(({ path }) => path),
      [],
      'do it now, or open an issue',
    );
  });

  it('only the CLI, the demo and programs of the tests write to the console', () => {
    const writers = code.filter(
      ({ path, text }) =>
        path.startsWith('src/') && !/(?:\.test|\/fixture[^/]*)\.ts$/.test(path) && /\bconsole\.\w+\(/.test(text),
    );
    assert.deepEqual(
      writers.map(({ path }) => path),
      [],
    );
  });

  it('zod is imported member by member', () => {
    // The object `z` is one of all there is, forty languages included, which every command would load.
    const whole = code.filter(({ text }) => /import (?:type )?(?:\{ z \}|z) from 'zod'/.test(text));
    assert.deepEqual(
      whole.map(({ path }) => path),
      [],
    );
  });

  it('no package is imported while the program runs, but by a module of ours', () => {
    // In the bundles such a package may have its names only as members of `default`.
    const direct = code.filter(({ path, text }) => path.startsWith('src/') && /await import\('(?!node:|\.)/.test(text));
    assert.deepEqual(
      direct.map(({ path }) => path),
      [],
    );
  });

  it('every page of a driver answers the same questions', () => {
    const questions = ['needs', 'does to the machine', 'cannot do'].map((what) => `What it ${what}`);
    const headings = [...questions, 'Looking at it by hand', 'Leaving Sluice again'].map(
      (heading) => `\n## ${heading}\n`,
    );
    const pages = globSync('docs/drivers/*.md', { cwd: root });
    assert.ok(pages.length >= 8);
    const missing = pages.flatMap((page) => {
      const text = readFileSync(join(root, page), 'utf8');
      return headings.filter((heading) => !text.includes(heading)).map((heading) => `${page}: ${heading.trim()}`);
    });
    assert.deepEqual(missing, []);
  });

  it('every link between pages of the documentation leads somewhere', () => {
    const pages = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'src/**/*.md'], { cwd: root });
    assert.ok(pages.length > 0);
    const broken = pages.flatMap((page) =>
      linksOf(page)
        .filter((target) => !existsSync(target))
        .map((target) => `${page} → ${target}`),
    );
    assert.deepEqual(broken, []);
  });
});

/** Targets inside the project, without anchors. */
function linksOf(page: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^(?:https?:|mailto:|#)/.test(target))
    .map((target) => resolve(root, dirname(page), target.split('#')[0] ?? ''));
}
