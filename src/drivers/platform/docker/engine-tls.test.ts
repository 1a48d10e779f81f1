// An engine that is reached by TLS, both sides knowing each other: as with the socket, and refused to everybody else.

import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Authority } from '../../../../test/docker/certificates.ts';
import { noEngine } from '../../../../test/docker/engine.ts';
import { nodeImage } from '../../../../test/docker/image.ts';
import { noOwnEngine, OwnEngine } from '../../../../test/docker/own-engine.ts';
import { freePort } from '../../../../test/free-port.ts';
import type { DockerEngineSpec } from '../../../core/plan/spec.ts';
import { ask, eventually, openFixture, platformSpec } from './fixture.ts';

type Tls = NonNullable<(DockerEngineSpec & { readonly kind: 'host' })['tls']>;

const scope = { service: 'shop', environment: 'production' };
const skip = noOwnEngine() || (await noEngine());

describe('an engine reached by TLS', { skip, timeout: 120_000 }, () => {
  let directory: string;
  let engine: OwnEngine;
  let known: Tls;
  let stranger: Tls;
  let port: number;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
    const authority = await Authority.in(directory);
    const [own, client] = [await authority.sign('engine', 'serverAuth'), await authority.sign('sluice', 'clientAuth')];
    await mkdir(join(directory, 'other'));
    const other = await Authority.in(join(directory, 'other'));
    known = { ca: authority.ca, ...client };
    stranger = { ca: other.ca, ...(await other.sign('stranger', 'clientAuth')) };
    port = await freePort();
    engine = await OwnEngine.make();
    const keys = ['--tlscacert', authority.ca, '--tlscert', own.certificate, '--tlskey', own.key];
    const hosts = ['127.0.0.1', '127.0.0.2'].flatMap((host) => ['--host', `tcp://${host}:${port}`]);
    await engine.start(...hosts, '--tlsverify', ...keys);
    await engine.load([await nodeImage()]);
  });
  after(async () => {
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  });

  const spec = (tls: Tls | undefined) =>
    ({ ...platformSpec, publish: undefined, engine: { kind: 'host', host: '127.0.0.1', port, tls } }) as const;

  test('starts, finds, reads and stops instances as by the socket', async () => {
    const fixture = await openFixture();
    const platform = fixture.open({ spec: spec(known) });
    const group = { scope, release: await fixture.release(), deployment: 'd-1', instances: 1 };
    const [instance] = await platform.ensure(group);
    assert.ok(instance);
    await eventually('it answers', async () => (await ask(instance)) === 'ok');
    await ask(instance, '/say', 'by TLS\n');
    await eventually('its line is there', async () => {
      const lines = await Array.fromAsync(platform.logs({ scope, lastLines: 10, follow: false }));
      return lines.some(({ text }) => text === 'by TLS');
    });
    assert.deepEqual(await engine.releases(), [group.release.id]);
    assert.equal((await platform.list(scope))[0]?.state, 'running');
    await platform.stop({ scope, release: group.release.id, graceMs: 5_000 });
    assert.deepEqual(await engine.releases(), []);
  });

  test('what is published at all addresses of the engine is reached where the engine is', async () => {
    const fixture = await openFixture();
    const at = (host: string) => {
      const own = spec(known);
      return fixture.open({ spec: { ...own, engine: { ...own.engine, host }, publish: '0.0.0.0' } });
    };
    const platform = at('127.0.0.2');
    const release = await fixture.release();
    const [instance] = await platform.ensure({ scope, release, deployment: 'd-1', instances: 1 });
    assert.equal(instance?.address.host, '127.0.0.2');
    await eventually('it answers', async () => (await ask(instance)) === 'ok');
    assert.equal((await at('localhost').list(scope))[0]?.address.host, '127.0.0.1', 'by its name as well');
    const [found] = await engine.docker.listContainers();
    await engine.docker.getContainer(found?.Id ?? '').rename({ name: `${found?.Names[0]?.slice(1)}.adopted-8080` });
    assert.equal((await platform.list(scope))[0]?.address.host, '127.0.0.2', 'also where it was taken over');
    await platform.stop({ scope, release: release.id, graceMs: 5_000 });
  });

  test('a client that the engine does not know, and one without TLS, are refused with words', async () => {
    const fixture = await openFixture();
    const unknown = fixture.open({ spec: spec({ ...stranger, ca: known.ca }) }).list(scope);
    const remedy = /platform\.docker\.tls/;
    await assert.rejects(unknown, { code: 'platform.unreachable', message: /closed the connection/, remedy });
    const plain = fixture.open({ spec: spec(undefined) }).list(scope);
    await assert.rejects(plain, { message: /HTTP request to an HTTPS server/ });
  });

  test('an engine that another authority vouches for is not talked to', async () => {
    const fixture = await openFixture();
    const platform = fixture.open({ spec: spec({ ...known, ca: stranger.ca }) });
    await assert.rejects(platform.list(scope), { code: 'platform.unreachable', message: /certificate/ });
  });

  test('files that are no key, or are not known to the engine, are read again when they were mended', async () => {
    const fixture = await openFixture();
    const [certificate, key] = [join(directory, 'renewed.pem'), join(directory, 'renewed.key')];
    const platform = fixture.open({ spec: spec({ ca: known.ca, certificate, key }) });
    await copyFile(known.certificate, certificate);
    const denied = { code: 'platform.denied', at: 'platform.docker.tls' };
    await assert.rejects(platform.list(scope), { ...denied, message: new RegExp(key) });
    await writeFile(key, 'no key');
    await assert.rejects(platform.list(scope), { ...denied, message: new RegExp(key) });
    await copyFile(stranger.key, key);
    await assert.rejects(platform.list(scope), denied, 'the key of another certificate');
    await copyFile(stranger.certificate, certificate);
    await assert.rejects(platform.list(scope), { code: 'platform.unreachable' });
    await copyFile(known.certificate, certificate);
    await copyFile(known.key, key);
    assert.deepEqual(await platform.list(scope), []);
  });
});
