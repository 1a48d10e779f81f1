import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { startServer } from './compose.ts';
import { ownToken, readOwnToken } from './own-token.ts';

function inDirectory<T>(work: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-token-'));
  const clean = (): void => rmSync(directory, { recursive: true, force: true });
  const result = work(directory);
  if (result instanceof Promise) void result.finally(clean);
  else clean();
  return result;
}

it('a token is made once and only its owner can read it', () => {
  inDirectory((directory) => {
    const file = join(directory, 'home', 'token');
    const token = ownToken(file);
    assert.match(token, /^[0-9a-f]{64}$/);
    assert.equal(ownToken(file), token);
    assert.equal(readOwnToken(file), token);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });
});

it('there is no token where no server made one', () => {
  inDirectory((directory) => {
    assert.equal(readOwnToken(join(directory, 'token')), undefined);
    writeFileSync(join(directory, 'token'), '');
    chmodSync(join(directory, 'token'), 0o600);
    assert.equal(readOwnToken(join(directory, 'token')), undefined);
  });
});

it('a server on loopback takes no request over TCP without its token', async () => {
  await inDirectory(async (home) => {
    const server = await startServer({ home, listen: '127.0.0.1:0', verbose: false });
    try {
      const url = server.addresses.find((address) => address.startsWith('http')) ?? '';
      assert.equal((await fetch(`${url}/v1/status`)).status, 401);
      assert.equal((await fetch(`${url}/metrics`)).status, 401);
      assert.equal((await fetch(`${url}/health`)).status, 200);
      const authorization = `Bearer ${readOwnToken(join(home, 'token')) ?? ''}`;
      assert.equal((await fetch(`${url}/metrics`, { headers: { authorization } })).status, 200);
    } finally {
      await server.close();
    }
  });
});

it('a server beyond loopback needs a token that somebody chose', async () => {
  await inDirectory(async (home) => {
    await assert.rejects(startServer({ home, listen: '0.0.0.0:0', verbose: false }), { code: 'server.token' });
  });
});
