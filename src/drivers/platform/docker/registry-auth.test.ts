import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { registryAuth } from './registry-auth.ts';

const key = 'https://index.docker.io/v1/';
let directory: string;
let given: string | undefined;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-login-'));
  given = process.env['DOCKER_CONFIG'];
  process.env['DOCKER_CONFIG'] = directory;
  const auth = Buffer.from('shop:pass:word').toString('base64');
  await writeFile(join(directory, 'config.json'), JSON.stringify({ auths: { [key]: { auth } } }));
});
after(async () => {
  if (given === undefined) delete process.env['DOCKER_CONFIG'];
  else process.env['DOCKER_CONFIG'] = given;
  await rm(directory, { recursive: true });
});

for (const name of ['shop:1.0', 'acme/shop:1.0', 'docker.io/acme/shop:1.0', 'index.docker.io/acme/shop:1.0']) {
  test(`the login to Docker Hub is sent for ${name}`, async () => {
    const header = Buffer.from((await registryAuth(name)) ?? '', 'base64url').toString('utf8');
    assert.deepEqual(JSON.parse(header), { username: 'shop', password: 'pass:word', serveraddress: key });
  });
}

test('the login to Docker Hub is sent nowhere else', async () => {
  for (const name of ['ghcr.io/acme/shop:1.0', 'localhost/acme/shop:1.0', 'docker.io.example.com/shop:1.0'])
    assert.equal(await registryAuth(name), undefined, name);
});
