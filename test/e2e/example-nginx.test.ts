// The example with processes behind an NGINX, run as its readme says.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { freePort } from '../free-port.ts';
import { programPath } from '../package/program.ts';
import { withoutNginx } from '../programs/nginx.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../examples/process-nginx/run.sh', import.meta.url));
const skip = (await withoutNginx()) || (await withoutCurl());

async function withoutCurl(): Promise<string | false> {
  return run('curl', ['--version']).then(
    () => false,
    () => 'missing: curl',
  );
}

it('a shop behind an NGINX that was there already fails no request', { skip, timeout: 300_000 }, async () => {
  const environment = { ...process.env, SLUICE: `${process.execPath} ${programPath}`, PORT: String(await freePort()) };
  const { stdout } = await run(script, [], { env: environment, timeout: 280_000 });
  assert.match(stdout, /[1-9]\d* requests were served, [1-9]\d* by the broken release, 0 failed\./);
  // The same addresses come back, so that later releases need none.
  assert.match(stdout, /^[1-3] reloads of NGINX\.$/m);
});
