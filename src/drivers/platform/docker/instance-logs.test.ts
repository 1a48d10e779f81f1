// Output that an engine begins to send and does not end: whoever waits for it is told so.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { engineSocket, noEngine } from '../../../../test/docker/engine.ts';
import type { Clock } from '../../../ports/clock.ts';
import { ask, eventually, openFixture, platformSpec, realClock } from './fixture.ts';

const scope = { service: 'shop', environment: 'production' };

const closed = { code: 'platform.unreachable', message: /cannot be reached/ };
const hastyMs = 1000;

/** On it every limit on time is over soon, once the output has begun: before that a busy machine may take its time. */
function hastyAfter(begun: Promise<unknown>): Clock {
  return {
    now: () => realClock.now(),
    sleep: async (ms, signal) => {
      await Promise.race([begun, realClock.sleep(ms, signal)]);
      await realClock.sleep(Math.min(ms, hastyMs), signal);
    },
  };
}

interface Break {
  /** The output that is broken off: that which follows, or that which does not. */
  readonly follow: boolean;
  readonly act: (answer: ServerResponse) => void;
}

/** A way to the engine on which output goes no further than its beginning. */
async function wayWith(context: TestContext, { follow, act }: Break) {
  const begun = Promise.withResolvers<undefined>();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-output-'));
  const socket = join(directory, 'engine.sock');
  const server = createServer((asked, answer) => {
    const { method, url = '', headers } = asked;
    const passed = request({ socketPath: engineSocket, method, path: url, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      if (!url.includes(`&follow=${follow}`)) return reply.pipe(answer);
      reply.once('data', (begin: Buffer) => {
        answer.write(begin);
        begun.resolve(undefined);
        act(answer);
        passed.destroy();
      });
      return undefined;
    });
    passed.on('error', () => undefined);
    asked.pipe(passed);
  });
  server.listen(socket);
  await once(server, 'listening');
  context.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { path: socket, begun: begun.promise };
}

function breakOff({ socket }: ServerResponse): void {
  socket?.destroySoon();
}

/** With limits on time as they are, or hasty ones. */
async function scene(context: TestContext, broken: Break, limits: 'hasty' | 'real') {
  const fixture = await openFixture();
  context.after(() => fixture.close());
  const release = await fixture.release();
  const [instance] = await fixture.platform.ensure({ scope, release, deployment: 'd-1', instances: 1 });
  assert.ok(instance);
  await eventually('it answers', () => ask(instance));
  await ask(instance, '/say', 'first\n');
  const { path, begun } = await wayWith(context, broken);
  const clock = limits === 'hasty' ? hastyAfter(begun) : realClock;
  return fixture.open({ spec: { ...platformSpec, engine: { kind: 'socket', path } }, clock });
}

describe('output that does not end', { skip: await noEngine(), timeout: 60_000 }, () => {
  test('newest lines are waited for only so long', async (context) => {
    const platform = await scene(context, { follow: false, act: () => {} }, 'hasty');
    const lines = Array.fromAsync(platform.logs({ scope, lastLines: 10, follow: false }));
    await assert.rejects(lines, { code: 'platform.unreachable', message: /did not answer/ });
  });

  test('an engine that breaks off is told as one that is not reached', async (context) => {
    const platform = await scene(context, { follow: false, act: (answer) => breakOff(answer) }, 'real');
    const lines = Array.fromAsync(platform.logs({ scope, lastLines: 10, follow: false }));
    await assert.rejects(lines, closed);
  });

  test('new lines may take their time, and are broken off as well', async (context) => {
    const act = (answer: ServerResponse): void => void setTimeout(() => breakOff(answer), 3 * hastyMs);
    const platform = await scene(context, { follow: true, act }, 'hasty');
    const told: string[] = [];
    const following = async (): Promise<void> => {
      for await (const { text } of platform.logs({ scope, lastLines: 10, follow: true })) told.push(text);
    };
    await assert.rejects(following(), closed);
    assert.deepEqual(told, ['first']);
  });
});
