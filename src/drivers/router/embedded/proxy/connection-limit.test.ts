import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { it } from 'node:test';

import { until } from '../harness.ts';
import { freePort } from '../../../../../test/free-port.ts';
import { connectionLimits, descriptorsIn } from './connection-limit.ts';
import { Listener } from './listener.ts';

it('clients and their requests never need all descriptors', () => {
  for (const descriptors of [1_024, 4_096, 20_000, 1_048_576, Infinity]) {
    const { traffic, preview } = connectionLimits(descriptors);
    assert.ok(2 * (traffic + preview) < descriptors && preview > 0, String(descriptors));
  }
  assert.deepEqual(connectionLimits(1_024), { traffic: 336, preview: 48 });
  assert.deepEqual(connectionLimits(64), { traffic: 14, preview: 2 });
});

it('the limit is read as Linux writes it', () => {
  const text = (soft: string): string =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files   ${soft}   4096   files\n`;
  assert.deepEqual(['1024', 'unlimited'].map(text).map(descriptorsIn), [1_024, Infinity]);
  assert.equal(descriptorsIn('something else'), 4_096);
});

it('a client beyond the limit is let go, and another is let in when one has left', async () => {
  const address = { host: '127.0.0.1', port: await freePort() };
  const taken: Socket[] = [];
  const listener = new Listener(address, 2, (socket) => {
    taken.push(socket);
    socket.resume();
  });
  await listener.listen();
  const first = connect(address);
  const second = connect(address);
  await until(() => taken.length === 2, 'two are let in');
  const third = connect(address).resume();
  third.on('error', () => undefined);
  await once(third, 'close');
  assert.equal(taken.length, 2);
  first.destroy();
  await until(() => taken[0]?.destroyed === true || taken[1]?.destroyed === true || endOne(taken), 'one has left');
  const fourth = connect(address);
  await until(() => taken.length === 3, 'another is let in');
  for (const socket of [second, fourth, ...taken]) socket.destroy();
  await listener.close();
});

/** The listener's connections are half-open: the end of a client's side must be answered. */
function endOne(sockets: readonly Socket[]): boolean {
  for (const socket of sockets) if (socket.readableEnded) socket.destroy();
  return false;
}
