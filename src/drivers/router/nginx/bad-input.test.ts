import assert from 'node:assert/strict';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';

import { freePort } from '../../../../test/free-port.ts';
import { withoutNginx } from '../../../../test/programs/nginx.ts';
import { failsWith, group, type HarnessOptions, makeHarness, type NginxHarness, routesOf, scope } from './harness.ts';

const skip = await withoutNginx();
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function harnessOf(options: HarnessOptions = {}): Promise<NginxHarness> {
  const harness = await makeHarness(options);
  ends.push(() => harness.close());
  return harness;
}

describe('bad input for NGINX', { skip }, () => {
  it('names a file that NGINX does not read', async () => {
    const harness = await harnessOf({ includes: '' });
    await assert.rejects(
      harness.router.check(scope),
      failsWith('router.include', /nginx\.conf.*nothing in its configuration/),
    );
  });

  it('shows what NGINX says about the user’s own configuration', async () => {
    const harness = await harnessOf();
    await harness.nginx.write('no_such_directive on;');
    await assert.rejects(
      harness.router.check(scope),
      failsWith('router.refused', /unknown directive "no_such_directive"/),
    );
    await assert.rejects(harness.router.apply(routesOf(1, [])), failsWith('router.refused', /no_such_directive/));
    assert.deepEqual(
      (await readdir(join(harness.nginx.directory, 'conf.d'))).filter((name) => name.endsWith('.conf')),
      [],
    );
  });

  it('leaves the former include serving when NGINX refuses a new one', async () => {
    const harness = await harnessOf();
    const [old, fresh] = [await harness.startInstance('old-1'), await harness.startInstance('new-1')];
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const before = await readFile(harness.spec.include, 'utf8');
    await harness.nginx.write('upstream twice { server 127.0.0.1:1; } upstream twice { server 127.0.0.1:1; }');
    const routes = routesOf(2, [group('old', 0, old), group('new', 10_000, fresh)]);
    await assert.rejects(harness.router.apply(routes), failsWith('router.refused', /duplicate upstream "twice"/));
    assert.equal(await readFile(harness.spec.include, 'utf8'), before);
    assert.equal((await harness.request()).instance, 'old-1');
    await harness.nginx.write();
    await harness.router.apply(routes);
    assert.equal((await harness.request()).instance, 'new-1');
  });

  it('names a port that another program has', async () => {
    const stranger = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => {
      stranger.listen(port, '127.0.0.1', resolve);
    });
    ends.push(async () => void stranger.close());
    const harness = await harnessOf({ spec: { listen: { host: '127.0.0.1', port } } });
    await assert.rejects(harness.router.check(scope), failsWith('port.taken', new RegExp(`127.0.0.1:${port}`)));
    const old = await harness.startInstance('old-1');
    await assert.rejects(
      harness.router.apply(routesOf(1, [group('old', 10_000, old)])),
      failsWith('router.refused', /bind\(\).*Address already in use/),
    );
    assert.deepEqual(
      (await readdir(join(harness.nginx.directory, 'conf.d'))).filter((name) => name.endsWith('.conf')),
      [],
    );
  });

  it('names an address that another server of the same NGINX has', async () => {
    const port = await freePort();
    const http = `server { listen 127.0.0.1:${port}; location / { return 200; } }`;
    const harness = await harnessOf({ http, spec: { listen: { host: '127.0.0.1', port } } });
    await assert.rejects(harness.router.check(scope), failsWith('router.refused', /Another server/));
  });

  it('shares an address with other servers by its name', async () => {
    const port = await freePort();
    const http = `server { listen 127.0.0.1:${port}; server_name other; location / { return 204; } }`;
    const harness = await harnessOf({
      http,
      spec: { listen: { host: '127.0.0.1', port }, serverName: 'shop.example' },
    });
    await harness.router.check(scope);
    await harness.router.apply(routesOf(1, [group('old', 10_000, await harness.startInstance('old-1'))]));
    assert.equal((await harness.request({ headers: { host: 'shop.example' } })).instance, 'old-1');
    assert.equal((await harness.request({ headers: { host: 'other' } })).status, 204);
  });

  it('takes its name at a shared address with its first traffic, and gives it back with its last', async () => {
    const port = await freePort();
    const http = `server { listen 127.0.0.1:${port} default_server; location / { return 204; } }`;
    const harness = await harnessOf({
      http,
      spec: { listen: { host: '127.0.0.1', port }, serverName: 'shop.example' },
    });
    const instance = await harness.startInstance('new-1');
    const status = async () => (await harness.request({ headers: { host: 'shop.example' } })).status;
    await harness.router.apply(routesOf(1, [group('new', 0, instance)], { preview: 'new' }));
    assert.equal(await status(), 204);
    assert.equal((await harness.request({ preview: true })).instance, 'new-1');
    await harness.router.apply(routesOf(2, [group('new', 10_000, instance)]));
    assert.equal(await status(), 200);
    await harness.router.apply(routesOf(3, []));
    assert.equal(await status(), 204);
    assert.equal((await harness.router.read(scope))?.revision, 3);
  });

  it('names a file with somebody else’s contents, and leaves it', async () => {
    const harness = await harnessOf();
    await writeFile(harness.spec.include, 'server_tokens off;\n');
    await assert.rejects(harness.router.check(scope), failsWith('router.include', /did not write/));
    await assert.rejects(harness.router.apply(routesOf(1, [])), failsWith('router.include', /did not write/));
    assert.equal(await readFile(harness.spec.include, 'utf8'), 'server_tokens off;\n');
  });

  it('names a directory that it cannot write to', async () => {
    const harness = await harnessOf({ spec: { include: '/no/such/directory/shop.conf' } });
    await assert.rejects(harness.router.check(scope), failsWith('disk.failed', /^\/no\/such\/directory /));
  });

  it('names a file that belongs to another environment', async () => {
    const harness = await harnessOf();
    await harness.router.apply(routesOf(1, []));
    const other = { service: 'shop', environment: 'staging' };
    await assert.rejects(harness.router.check(other), failsWith('router.include', /belongs to shop\/test/));
    const routes = { ...routesOf(1, []), scope: other };
    await assert.rejects(harness.router.apply(routes), failsWith('router.include', /belongs to shop\/test/));
  });

  it('names a program that is not there', async () => {
    const harness = await harnessOf({ spec: { program: ['/no/such/nginx'] } });
    await assert.rejects(harness.router.check(scope), failsWith('router.unreachable', /no\/such\/nginx/));
  });

  it('says when NGINX’s workers cannot read the tables', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('needs root, whose NGINX gives its workers another user');
    const harness = await harnessOf();
    await chmod(harness.nginx.directory, 0o700);
    const routes = routesOf(1, [group('old', 10_000, await harness.startInstance('old-1'))]);
    await assert.rejects(harness.router.apply(routes), failsWith('router.refused', /cannot read the folder/));
    await chmod(harness.nginx.directory, 0o755);
    await harness.router.apply(routes);
    assert.equal((await harness.request()).instance, 'old-1');
  });
});
