import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Failure } from '../base/failure.ts';
import { loadConfig } from './load.ts';
import { peekService } from './peek.ts';

let cwd = '';

before(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'sluice-peek-'));
});

after(() => rm(cwd, { recursive: true }));

const rest = `release: { directory: ., command: node server.js }
router: { embedded: { listen: 18080 } }
`;

async function write(text: string): Promise<void> {
  await writeFile(join(cwd, 'sluice.yaml'), text);
}

test('the service is read as the whole parser reads it', async () => {
  for (const line of ['service: shop', 'service: "shop"', "service:   'shop'  # ours", 'service: shop\r']) {
    await write(`${line}\n${rest}`);
    assert.equal(await peekService({ cwd }), 'shop', line);
    assert.equal((await loadConfig({ cwd })).config.service, 'shop', line);
  }
});

test('what is written in an unusual way is left to the whole parser', async () => {
  for (const text of [
    '"service": shop',
    'service: >-\n  shop',
    'service: shop\nservice: blog',
    '  service: shop',
    '',
  ]) {
    await write(`${text}\n`);
    assert.equal(await peekService({ cwd }), undefined, text);
  }
});

test('a file that is otherwise wrong still has its service', async () => {
  await write('service: shop\nrelase: {\n');
  assert.equal(await peekService({ cwd }), 'shop');
});

test('without a file it says so', async () => {
  await assert.rejects(
    peekService({ cwd, config: 'other.yaml' }),
    (thrown) => thrown instanceof Failure && thrown.code === 'config.missing',
  );
});
