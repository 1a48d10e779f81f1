// The demo's configurations are valid ones, and what it writes can be started.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import { resolveEnvironment } from '../config/resolve.ts';
import { scope, versions } from './scope.ts';
import { writeVersions } from './workshop.ts';

test('every version has a configuration that resolves, with a program and its version beside it', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-workshop-'));
  context.after(() => rm(directory, { recursive: true }));
  await writeVersions(directory, Object.values(versions), { service: 26_001, preview: 26_002 });
  for (const [name, version] of Object.entries(versions)) {
    const own = join(directory, name);
    const { config } = await loadConfig({ cwd: own });
    const spec = resolveEnvironment(config, scope.environment, own);
    assert.deepEqual(spec.scope, scope);
    assert.equal(spec.strategy.kind, version.strategy.split(':', 1)[0]);
    const program = spec.run.command.at(-1) ?? '';
    const source = await readFile(new URL('service/shop.ts', import.meta.url), 'utf8');
    assert.equal(await readFile(join(own, 'dist', program), 'utf8'), source);
    assert.equal(JSON.parse(await readFile(join(own, 'dist', 'version.json'), 'utf8')).version, name);
  }
});
