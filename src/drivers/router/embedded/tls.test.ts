import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';

import { Failure } from '../../../base/failure.ts';
import { Bench, group, routesOf, until } from './harness.ts';

const run = promisify(execFile);

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

async function makeCertificate(directory: string, name: string): Promise<{ certificate: string; key: string }> {
  const certificate = join(directory, `${name}.pem`);
  const key = join(directory, `${name}.key`);
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate]);
  return { certificate, key };
}

function open(port: number): TLSSocket {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] });
  socket.on('error', () => undefined);
  return socket;
}

async function subject(port: number): Promise<unknown> {
  const socket = open(port);
  await once(socket, 'secureConnect');
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return name;
}

async function ask(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

it('a certificate is read again when its files change, and standing connections go on', async () => {
  const directory = await bench.directory();
  const first = await makeCertificate(directory, 'first.test');
  const second = await makeCertificate(directory, 'second.test');
  const instance = await bench.instance('old-1', (asked, response) => {
    response.end(`${String(asked.headers['x-forwarded-proto'])} old-1`);
  });
  const groups = [group('old', 10_000, instance)];
  const { address } = await bench.proxy(routesOf(1, groups, { sticky: { cookie: 'keep', maxAgeMs: 1_000 } }), {
    tls: first,
  });
  const standing = open(address.port);
  await once(standing, 'secureConnect');
  assert.equal(standing.alpnProtocol, 'http/1.1');
  const answer = await ask(standing);
  assert.match(answer, /https old-1$/);
  assert.match(answer, /SameSite=Lax; Secure\r\n/);
  assert.equal(await subject(address.port), 'first.test');

  // A pair that is only half in place must harm nobody.
  await rename(second.certificate, first.certificate);
  await until(async () => (await subject(address.port)) === 'first.test', 'the old pair still serves');
  await rename(second.key, first.key);
  await until(async () => (await subject(address.port)) === 'second.test', 'the new pair serves');
  assert.match(await ask(standing), /https old-1$/);
  standing.destroy();
});

it('a certificate that cannot be used is refused with its place, before anything listens', async () => {
  const directory = await bench.directory();
  const good = await makeCertificate(directory, 'good.test');
  const other = await makeCertificate(directory, 'other.test');
  const isRefused = (place: string) => (thrown: unknown) =>
    thrown instanceof Failure && thrown.code === 'router.certificate' && thrown.at === place;
  const missing = join(directory, 'missing.pem');
  const text = join(directory, 'text.pem');
  await writeFile(text, 'not a certificate');
  for (const [tls, place] of [
    [{ certificate: missing, key: good.key }, missing],
    [{ certificate: good.certificate, key: other.key }, good.certificate],
    [{ certificate: text, key: good.key }, text],
  ] as const) {
    const { router } = await bench.router({ tls });
    await assert.rejects(router.check({ service: 'shop', environment: 'test' }), isRefused(place));
    await assert.rejects(router.apply(routesOf(1, [])), isRefused(place));
  }
});

it('a client that speaks no TLS, or stops in its handshake, harms nobody', async () => {
  const tls = await makeCertificate(await bench.directory(), 'shop.test');
  const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, await bench.instance('old-1'))]), { tls });
  const { connect: connectPlain } = await import('node:net');
  const plain = connectPlain(address.port, '127.0.0.1');
  plain.on('error', () => undefined);
  plain.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  plain.resume();
  await once(plain, 'close');
  const silent = connectPlain(address.port, '127.0.0.1');
  bench.onEnd(() => silent.destroy());
  assert.equal(await subject(address.port), 'shop.test');
});
