import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Failure } from '../../base/failure.ts';
import { parseConfig } from '../parse.ts';
import { loadComposed } from './load.ts';

async function directoryWith(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-compose-'));
  context.after(() => rm(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

function load(directory: string, compose: string) {
  const config = {
    service: 'shop',
    port: 8080,
    platform: { docker: { compose, service: 'api' } },
    router: { embedded: { listen: 8080 } },
  };
  return loadComposed(parseConfig(JSON.stringify(config), 'sluice.yaml'), 'production', directory, {});
}

const file = 'services: { api: { image: "shop:${TAG}" } }';

for (const name of ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']) {
  test(`a file beside ${name} that Compose lays over it is refused`, async (context) => {
    for (const override of ['docker-compose.override.yml', 'compose.override.yaml']) {
      const directory = await directoryWith(context, { [name]: file, [override]: 'services: {}' });
      assert.throws(
        () => load(directory, name),
        (error) => error instanceof Failure && error.code === 'config.invalid' && error.message.includes(override),
      );
    }
  });
}

test('over a file with another name nothing is laid, so what the remedy says is done with it', async (context) => {
  const directory = await directoryWith(context, {
    'compose.yaml': file,
    'compose.override.yaml': 'services: {}',
    'compose.sluice.yml': file,
    '.env': 'TAG=2.0\n',
  });
  assert.equal(load(directory, 'compose.sluice.yml')?.image, 'shop:2.0');
});
