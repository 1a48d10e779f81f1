import assert from 'node:assert/strict';
import { request } from 'node:http';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Sample } from '../../../../core/gate/sample.ts';
import type { Address } from '../../../../core/instance.ts';
import { Bench, get, group, routesOf, scope, type TestRouter } from '../harness.ts';
import { withoutHaproxy } from '../../../../../test/programs/haproxy.ts';
import { openSession } from '../runtime/session.ts';
import { finishedRequests } from '../runtime/state.ts';
import { configFile } from '../config/names.ts';
import { until } from '../harness-faults.ts';
import { ScopeFiles } from '../install/files.ts';
import { parseLogLine } from './log-line.ts';

describe('the feed of HAProxy', { skip: withoutHaproxy }, () => {
  it('tells of each way in which a request can end', async () => {
    await listening(async ({ bench, router, spec, seen }) => {
      const one = await bench.instance('one', (asked, response) => {
        if (asked.url === '/breaks') {
          response.writeHead(200, { 'content-length': '100' });
          response.write('half');
          setTimeout(() => response.destroy(), 50);
        } else if (asked.url === '/drops') asked.socket.destroy();
        else if (asked.url === '/fails') response.writeHead(500).end();
        else if (asked.url !== '/never') response.end('one');
      });
      const never = await bench.instance('never');
      never.server.close();
      await router.apply(routesOf(1, [group('a', 10_000, one)]));
      await seen.ready(spec.listen);
      const ending = async (ask: () => Promise<unknown>): Promise<string> => {
        const before = seen.samples.length;
        await ask().catch(() => undefined);
        await until(() => seen.samples.length > before);
        const sample = seen.samples[before];
        assert.equal(seen.samples.length, before + 1);
        return `${sample?.release} ${sample?.instance} ${sample?.status} ${sample?.origin}`;
      };
      assert.equal(await ending(() => get(spec.listen)), 'a one 200 instance');
      assert.equal(await ending(() => get(spec.listen, {}, '/fails')), 'a one 500 instance');
      assert.equal(await ending(() => get(spec.listen, {}, '/breaks')), 'a one 502 router');
      assert.equal(await ending(() => get(spec.listen, {}, '/drops')), 'a one 502 router');
      assert.equal(await ending(() => goAway(spec.listen)), 'a one 499 router');
      await router.apply(routesOf(2, [group('b', 10_000, never)]));
      assert.match(await ending(() => get(spec.listen)), /^b (never|-) 503 router$/);
      assert.equal(seen.lost, 0);
    });
  });

  it('tells of an upgraded connection with the time of its switch', async () => {
    await listening(async ({ bench, router, spec, seen }) => {
      const one = await bench.instance('one');
      one.server.on('upgrade', (_asked, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
        socket.pipe(socket);
      });
      await router.apply(routesOf(1, [group('a', 10_000, one)]));
      await seen.ready(spec.listen);
      const before = seen.samples.length;
      const openedFor = await upgrade(spec.listen);
      await until(() => seen.samples.length > before);
      const sample = seen.samples[before];
      assert.deepEqual([sample?.status, sample?.origin], [101, 'instance']);
      assert.ok((sample?.latencyMs ?? Infinity) < openedFor, `${sample?.latencyMs} of ${openedFor} ms`);
    });
  });

  it('counts what is no request of anybody without missing a line or a sample', async () => {
    await listening(async ({ bench, router, spec, seen }) => {
      const one = await bench.instance('one');
      await router.apply(routesOf(1, [group('a', 10_000, one)]));
      await seen.ready(spec.listen);
      const before = seen.samples.length;
      for (const bytes of [
        '',
        'nonsense\r\n\r\n',
        'GET / HTTP/1.1\r\n',
        'GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n',
        '\0\0\0',
      ]) {
        await raw(spec.listen, bytes);
      }
      for (let sent = 0; sent < 20; sent++) await get(spec.listen);
      await until(() => seen.samples.length >= before + 20);
      // Three looks at HAProxy's own count.
      await sleep(3_500);
      assert.equal(seen.samples.length, before + 20);
      assert.equal(seen.lost, 0);
    });
  });

  it('has a mark that nobody can work out, and keeps it', async () => {
    const bench = new Bench();
    try {
      const first = await bench.router();
      const second = await bench.router({ feed: first.spec.feed });
      const one = await bench.instance('one');
      const markOf = async ({ spec }: TestRouter): Promise<string | undefined> =>
        (await new ScopeFiles(spec.directory, scope).layout())?.feedToken;
      for (const { router } of [first, second]) await router.apply(routesOf(1, [group('a', 10_000, one)]));
      const mark = await markOf(first);
      assert.ok(mark !== undefined && mark !== (await markOf(second)), mark);
      const rules = [{ release: 'a', match: { header: 'x-canary', equals: 'yes' } }] as const;
      await first.router.apply(routesOf(2, [group('a', 10_000, one)], { rules }));
      assert.equal(await markOf(first), mark);
    } finally {
      await bench.end();
    }
  });

  it('goes on when the configuration had to be made anew', async () => {
    await listening(async ({ bench, router, spec, seen }) => {
      const one = await bench.instance('one');
      await router.apply(routesOf(1, [group('a', 10_000, one)]));
      await seen.ready(spec.listen);
      await rm(configFile(spec.directory, scope));
      await router.apply(routesOf(2, [group('b', 10_000, one)]));
      for (let sent = 0; sent < 200 && seen.samples.at(-1)?.release !== 'b'; sent++) {
        await get(spec.listen);
        await sleep(50);
      }
      assert.equal(seen.samples.at(-1)?.release, 'b');
    });
  });

  it('is compared with a count of HAProxy’s own that grows with each request', async () => {
    await listening(async ({ bench, haproxy, router, spec }) => {
      const one = await bench.instance('one');
      await router.apply(routesOf(1, [group('a', 10_000, one)]));
      const count = async (): Promise<number> => {
        const session = openSession({ path: haproxy.socket }, { timeoutMs: 2_000 });
        try {
          return await finishedRequests(session, scope);
        } finally {
          session.close();
        }
      };
      const before = await count();
      for (let sent = 0; sent < 7; sent++) await get(spec.listen);
      assert.equal(await count(), before + 7);
    });
  });
});

describe('a line of HAProxy’s log', () => {
  const token = 'c'.repeat(32);
  const line = (fields: string): string => `<134>Nov 21 haproxy[7]: sluice1 ${token} ${fields}`;
  const parsed = (fields: string) => parseLogLine(line(fields), token);

  it('has the release, the instance and the time', () => {
    assert.deepEqual(parsed('1795254075695 c2hvcEBh b2xkLTE 200 -- - 1234 share'), {
      at: 1_795_254_075_695,
      place: 'shop@a',
      server: 'old-1',
      status: 200,
      latencyMs: 1.234,
      via: 'share',
      origin: 'instance',
    });
  });

  it('without a release is counted and no sample', () => {
    assert.equal(parsed('1795254075695 - - 400 PR - - -')?.place, undefined);
    assert.equal(parsed('1795254075695 - - 503 LR - 17 share')?.place, undefined);
  });

  it('that is not exactly one is none', () => {
    for (const fields of [
      '',
      'x c2 b2 200 -- - 1 share',
      '1 c2hv b2xk 200 -- - 1 share extra',
      '1 c2hv b2xk 2000 -- - 1 share',
    ]) {
      assert.equal(parsed(fields), undefined, fields);
    }
    assert.equal(parseLogLine(line('1 c2hv b2xk 200 -- - 1 share'), 'ffff'), undefined);
  });
});

interface Seen {
  readonly samples: Sample[];
  lost: number;
  /** Resolves when the feed tells of what is sent. */
  ready(address: Address): Promise<void>;
}

async function listening(run: (stage: TestRouter & { bench: Bench; seen: Seen }) => Promise<void>): Promise<void> {
  const bench = new Bench();
  const stop = new AbortController();
  let reading = Promise.resolve();
  try {
    const made = await bench.router();
    const samples: Sample[] = [];
    const seen: Seen = {
      samples,
      lost: 0,
      ready: async (address) => {
        for (let sent = 0; samples.length === 0 && sent < 200; sent++) {
          await get(address);
          await sleep(50);
        }
        let before = -1;
        while (samples.length !== before) {
          before = samples.length;
          await sleep(200);
        }
      },
    };
    reading = (async () => {
      for await (const batch of made.router.feed(scope, stop.signal)) {
        samples.push(...batch.samples);
        seen.lost += batch.lost;
      }
    })();
    await run({ ...made, bench, seen });
  } finally {
    stop.abort();
    await reading;
    await bench.end();
  }
}

/** A request whose client leaves before the answer. */
async function goAway(address: Address): Promise<void> {
  const asked = request({ ...address, path: '/never', agent: false });
  asked.on('error', () => undefined);
  asked.end();
  await sleep(200);
  asked.destroy();
}

/** Opens an upgraded connection and keeps it for a while; how long, in milliseconds. */
async function upgrade(address: Address): Promise<number> {
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    const asked = request({ ...address, headers: { connection: 'upgrade', upgrade: 'echo' }, agent: false });
    asked.on('error', reject);
    asked.on('upgrade', (_answer, socket) => {
      setTimeout(() => socket.end(), 500);
      socket.on('close', () => resolve());
      socket.resume();
    });
    asked.end();
  });
  return performance.now() - began;
}

/** Sends bytes over a connection and closes it. */
async function raw(address: Address, bytes: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect(address);
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.resume();
    socket.end(bytes);
  });
}
