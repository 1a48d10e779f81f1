import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseId } from '../../../core/release-id.ts';
import { releasesContract } from '../../../ports/releases.contract.ts';
import { createMemoryReleases } from './memory-releases.ts';

const clock = { now: () => 1000, sleep: async () => {} };

releasesContract({
  name: 'memory',
  async open() {
    const releases = createMemoryReleases({ clock });
    return {
      releases,
      source: async (name, files) => {
        releases.put(name, files);
        return { kind: 'directory', directory: name, ignore: [] };
      },
      absent: async () => ({ kind: 'directory', directory: 'absent', ignore: [] }),
      stored: async (release) => releases.stored(release),
      close: async () => {},
    };
  },
});

const run = { command: ['serve'], environment: {}, workingDirectory: '.', limits: {} };

test('an image is pinned to the digest of its reference', async () => {
  const releases = createMemoryReleases({ clock });
  const digest = `sha256:${'ab'.repeat(32)}`;
  const engine = { kind: 'socket', path: '/nowhere' } as const;
  const pinned = await releases.identify({ kind: 'image', reference: `localhost:5000/shop:1.2@${digest}`, engine });
  assert.deepEqual(pinned, { kind: 'image', repository: 'localhost:5000/shop', digest });
  const tagged = await releases.identify({
    kind: 'image',
    reference: 'localhost:5000/shop:1.2',
    engine,
  });
  assert.equal(tagged.kind === 'image' && tagged.repository, 'localhost:5000/shop');
  await assert.rejects(
    releases.identify({ kind: 'image', reference: 'shop:latest', engine: { kind: 'socket', path: '/nowhere' } }),
    { code: 'release.mutable' },
  );
});

test('a fault before an operation leaves everything as it was, a fault after it does not', async () => {
  let failAt: 'before' | 'after' = 'before';
  const releases = createMemoryReleases({
    clock,
    fault: ({ operation, moment }) => {
      if (operation === 'stage' && moment === failAt) throw new Error('injected');
    },
  });
  releases.put('/src', { a: '1' });
  const source = { kind: 'directory', directory: '/src', ignore: [] } as const;
  const artifact = await releases.identify(source);
  const release = { id: releaseId('shop', artifact, run), service: 'shop', artifact, run };
  await assert.rejects(releases.stage(release, source), /injected/);
  assert.equal(releases.stored(release.id), undefined);
  failAt = 'after';
  await assert.rejects(releases.stage(release, source), /injected/);
  assert.deepEqual(releases.stored(release.id), { a: '1' });
});
