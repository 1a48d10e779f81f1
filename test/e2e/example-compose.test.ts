// The example with a stack that Compose runs (Parse Server with PostgreSQL and Redis behind NGINX), run as its readme says.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { noEngine } from '../docker/engine.ts';
import { parseImages, postgresImage, redisImage, withoutStack } from '../docker/stack.ts';
import { freePort } from '../free-port.ts';
import { programPath } from '../package/program.ts';
import { nginxImage } from '../programs/nginx-container.ts';
import { withoutNginx } from '../programs/nginx.ts';

const script = fileURLToPath(new URL('../../examples/compose-nginx/run.sh', import.meta.url));
const compose = ['/usr/bin/docker-compose', '/usr/local/bin/docker-compose'].find((path) => existsSync(path));
const skip =
  (compose === undefined ? 'missing: docker-compose is not installed' : false) ||
  (await noEngine()) ||
  (await withoutNginx()) ||
  (await withoutStack());

it(
  'a stack of Compose is adopted, deployed by canary and blue-green and rolled back, and loses nothing',
  { skip, timeout: 580_000 },
  async () => {
    const [before, after] = await parseImages('8.2.1', '8.2.5');
    const { stdout } = await promisify(execFile)(script, [], {
      timeout: 400_000,
      maxBuffer: 16 * 1024 * 1024,
      env: {
        ...process.env,
        SLUICE: `${process.execPath} ${programPath}`,
        COMPOSE: compose,
        PROJECT: `t${randomBytes(4).toString('hex')}`,
        PORT: String(await freePort()),
        // The gates have what they need after a second or two.
        OBSERVE: '3s',
        OLD_IMAGE: before,
        NEW_IMAGE: after,
        POSTGRES_IMAGE: await postgresImage(),
        REDIS_IMAGE: await redisImage(),
        NGINX_IMAGE: await nginxImage(),
      },
    });
    assert.match(stdout, /^[1-9]\d{2,} objects were stored, 0 of them lost; 0 requests failed\.$/m);
    assert.equal(stdout.match(/^✓ VERIFIED /gm)?.length, 4);
  },
);
