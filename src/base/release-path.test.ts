import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseDirectory, releaseParts } from './release-path.ts';

test('a release lies below its service, by its digits', () => {
  assert.equal(releaseDirectory('/store', 'shop@3f9c2a1b7d04'), '/store/shop/3f9c2a1b7d04/files');
});

for (const id of [
  '',
  'shop',
  '../x@3f9c2a1b7d04',
  'a/b@3f9c2a1b7d04',
  '.@3f9c2a1b7d04',
  'shop@..',
  'shop@3F9C2A1B7D04',
]) {
  test(`${JSON.stringify(id)} leads nowhere`, () => {
    assert.throws(() => releaseParts(id), { code: 'release.unknown' });
  });
}
