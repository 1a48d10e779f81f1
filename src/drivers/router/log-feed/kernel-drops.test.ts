import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { it } from 'node:test';

import { kernelDrops } from './kernel-drops.ts';

const skip = process.platform === 'linux' ? false : 'only Linux counts them';

for (const [family, host] of [
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
] as const) {
  it(`every datagram to a socket of ${family} comes or counts as dropped`, { skip }, async (context) => {
    const come: Buffer[] = [];
    const receiver = createSocket(family, (message) => come.push(message)).bind(0, host);
    const sender = createSocket(family);
    context.after(() => {
      receiver.close();
      sender.close();
    });
    await once(receiver, 'listening');
    receiver.setRecvBufferSize(4096);
    const { port } = receiver.address();
    sender.connect(port, host);
    await once(sender, 'connect');
    // Nobody reads meanwhile, as this thread is the one that would.
    for (let sent = 0; sent < 999; sent++) sender.send('x'.repeat(200));
    const { promise, resolve } = Promise.withResolvers<void>();
    sender.send('the last', () => resolve());
    await promise;
    assert.ok(kernelDrops(family, port) > 0);
    while (come.length + kernelDrops(family, port) < 1000) await once(receiver, 'message');
    assert.equal(come.length + kernelDrops(family, port), 1000);
  });
}
