import assert from 'node:assert/strict';
import { test } from 'node:test';
import { referencePages, stalePages } from './reference.ts';

test('the generated reference pages are fresh (else run `node scripts/reference.ts`)', async () => {
  assert.ok((await referencePages()).length > 0);
  assert.deepEqual(await stalePages(), []);
});

test('every link within a page leads to a heading of it', async () => {
  for (const { path, text } of (await referencePages()).filter((page) => page.path.endsWith('.md'))) {
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...text.matchAll(/\]\(#([^)]*)\)/g)].map(([, link]) => link);
    assert.deepEqual(
      links.filter((link) => !anchors.includes(link ?? '')),
      [],
      path,
    );
  }
});
