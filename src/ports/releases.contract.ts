// The contract of every release store: what the engine relies on, as tests that a driver runs against itself.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ReleaseSource } from '../core/plan/spec.ts';
import { releaseId } from '../core/release-id.ts';
import type { Artifact, Release, ReleaseId, RunSpec } from '../core/release.ts';
import type { Releases } from './releases.ts';

/** Path → contents. */
export type ContractFiles = Readonly<Record<string, string>>;

/** One empty release store under test, and a place for sources. */
export interface ReleasesFixture {
  readonly releases: Releases;
  /** Makes the source of this name hold exactly these files. */
  readonly source: (name: string, files: ContractFiles) => Promise<ReleaseSource>;
  /** A source that is not there. */
  readonly absent: () => Promise<ReleaseSource>;
  /** What an instance of the release finds; undefined when the release is not in the store. */
  readonly stored: (release: ReleaseId) => Promise<ContractFiles | undefined>;
  readonly close: () => Promise<void>;
}

export interface ReleasesHarness {
  readonly name: string;
  open(): Promise<ReleasesFixture>;
  /** Test name → why this driver cannot pass it. */
  readonly skips?: Readonly<Record<string, string>> | undefined;
}

type Body = (fixture: ReleasesFixture) => Promise<void>;

const files: ContractFiles = { 'server.js': 'serve()', 'assets/style.css': 'body {}' };
const run: RunSpec = { command: ['node', 'server.js'], environment: {}, workingDirectory: '.', limits: {} };

/** Declares the whole suite for one driver; call it at the top level of a test file. */
export function releasesContract(harness: ReleasesHarness): void {
  const tests = { ...identifyTests, ...stageTests, ...keepTests };
  for (const name of Object.keys(harness.skips ?? {})) assert.ok(name in tests, `no contract test is named "${name}"`);
  describe(`release store contract: ${harness.name}`, () => {
    for (const [name, body] of Object.entries(tests)) {
      test(name, { skip: harness.skips?.[name] ?? false }, async () => {
        const fixture = await harness.open();
        try {
          await body(fixture);
        } finally {
          await fixture.close();
        }
      });
    }
  });
}

function release(artifact: Artifact, service = 'shop'): Release {
  return { id: releaseId(service, artifact, run), service, artifact, run };
}

const identifyTests: Readonly<Record<string, Body>> = {
  'the same contents have the same digest, wherever they lie': async ({ releases, source }) => {
    const a = await releases.identify(await source('a', files));
    const b = await releases.identify(await source('b', files));
    assert.match(a.digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(a.digest, b.digest);
  },

  'another content, another name and another file each make another digest': async ({ releases, source }) => {
    const variants: readonly ContractFiles[] = [
      files,
      { ...files, 'server.js': 'serve(2)' },
      { ...files, 'more.js': '' },
      { 'server.js': files['server.js'] ?? '', 'assets/styles.css': files['assets/style.css'] ?? '' },
      { 'server.js': files['assets/style.css'] ?? '', 'assets/style.css': files['server.js'] ?? '' },
    ];
    const digests = new Set<string>();
    for (const [index, variant] of variants.entries()) {
      digests.add((await releases.identify(await source(`v${index}`, variant))).digest);
    }
    assert.equal(digests.size, variants.length);
  },

  'identify keeps nothing': async ({ releases, source, stored }) => {
    const artifact = await releases.identify(await source('a', files));
    assert.deepEqual(await releases.list('shop'), []);
    assert.equal(await stored(release(artifact).id), undefined);
  },

  'a source that is not there is release.missing, an empty one release.empty': async ({ releases, source, absent }) => {
    await assert.rejects(releases.identify(await absent()), { code: 'release.missing' });
    await assert.rejects(releases.identify(await source('empty', {})), { code: 'release.empty' });
  },
};

const stageTests: Readonly<Record<string, Body>> = {
  'a staged release is listed and holds what its source held': async ({ releases, source, stored }) => {
    const from = await source('a', files);
    const staged = release(await releases.identify(from));
    await releases.stage(staged, from);
    assert.deepEqual(await stored(staged.id), files);
    const [listed, ...others] = await releases.list('shop');
    assert.deepEqual(others, []);
    assert.equal(listed?.id, staged.id);
    assert.equal(listed?.bytes, Object.values(files).join('').length);
    assert.ok((listed?.storedAt ?? 0) > 0);
  },

  'a change of the source changes nothing that is staged': async ({ releases, source, stored }) => {
    const from = await source('a', files);
    const staged = release(await releases.identify(from));
    await releases.stage(staged, from);
    await source('a', { 'server.js': 'broken()' });
    assert.deepEqual(await stored(staged.id), files);
  },

  'staging again does nothing, even when the source is another or gone by now': async ({
    releases,
    source,
    absent,
    stored,
  }) => {
    const from = await source('a', files);
    const staged = release(await releases.identify(from));
    await releases.stage(staged, from);
    const before = await releases.list('shop');
    await releases.stage(staged, await source('a', { 'server.js': 'other()' }));
    await releases.stage(staged, await absent());
    assert.deepEqual(await releases.list('shop'), before);
    assert.deepEqual(await stored(staged.id), files);
  },

  'other contents under the same id are refused, and what is kept stays': async ({ releases, source, stored }) => {
    const from = await source('a', files);
    const staged = release(await releases.identify(from));
    await releases.stage(staged, from);
    const other = await source('b', { 'server.js': 'other()' });
    const twin = { ...staged, artifact: await releases.identify(other) };
    await assert.rejects(releases.stage(twin, other), { code: 'release.collision' });
    assert.deepEqual(await stored(staged.id), files);
  },

  'two stagings at once keep one copy': async ({ releases, source, stored }) => {
    const from = await source('a', files);
    const staged = release(await releases.identify(from));
    await Promise.all([releases.stage(staged, from), releases.stage(staged, from), releases.stage(staged, from)]);
    assert.deepEqual(await stored(staged.id), files);
    assert.equal((await releases.list('shop')).length, 1);
  },

  'a source that changed since it was identified is refused and nothing is kept': async ({
    releases,
    source,
    stored,
  }) => {
    const from = await source('a', files);
    const staged = release(await releases.identify(from));
    await source('a', { ...files, 'server.js': 'serve(2)' });
    await assert.rejects(releases.stage(staged, from), { code: 'release.changed' });
    assert.equal(await stored(staged.id), undefined);
    assert.deepEqual(await releases.list('shop'), []);
  },

  'staging that is aborted keeps nothing': async ({ releases, source, stored }) => {
    const from = await source('a', files);
    const staged = release(await releases.identify(from));
    await assert.rejects(releases.stage(staged, from, AbortSignal.abort(new Error('no longer wanted'))));
    assert.equal(await stored(staged.id), undefined);
  },
};

const keepTests: Readonly<Record<string, Body>> = {
  'a removed release is gone, and removing it again is no error': async ({ releases, source, stored }) => {
    const from = await source('a', files);
    const staged = release(await releases.identify(from));
    await releases.stage(staged, from);
    await releases.remove(staged.id);
    await releases.remove(staged.id);
    assert.equal(await stored(staged.id), undefined);
    assert.deepEqual(await releases.list('shop'), []);
    await releases.stage(staged, from);
    assert.deepEqual(await stored(staged.id), files);
  },

  'removing one release leaves the others alone': async ({ releases, source, stored }) => {
    const from = [await source('a', files), await source('b', { 'server.js': 'other()' })] as const;
    const [first, second] = [release(await releases.identify(from[0])), release(await releases.identify(from[1]))];
    await releases.stage(first, from[0]);
    await releases.stage(second, from[1]);
    await releases.remove(first.id);
    assert.deepEqual(
      (await releases.list('shop')).map(({ id }) => id),
      [second.id],
    );
    assert.deepEqual(await stored(second.id), { 'server.js': 'other()' });
  },

  'services are apart, and a service without releases has none': async ({ releases, source }) => {
    const from = await source('a', files);
    const artifact = await releases.identify(from);
    await releases.stage(release(artifact, 'shop'), from);
    await releases.stage(release(artifact, 'blog'), from);
    assert.equal((await releases.list('shop')).length, 1);
    await releases.remove(release(artifact, 'blog').id);
    assert.equal((await releases.list('shop')).length, 1);
    assert.deepEqual(await releases.list('blog'), []);
    assert.deepEqual(await releases.list('never-heard-of'), []);
  },
};
