import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { drainConnections } from './drain.ts';
import { failsWith } from './harness.ts';

const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const header6 =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue\n';
const row = '   1: 0100007F:A551 0100007F:4E20 01 00000000:00000000 00:00000000 00000000 33 0 1 1 0 100\n';

/** Looks at one text after the other, and again and again at the last one. The clock stands still but for its sleeps. */
async function drained(...texts: readonly string[]): Promise<{ readonly left: number; readonly looks: number }> {
  let [now, looks] = [0, 0];
  const left = await drainConnections({
    addresses: [{ host: '127.0.0.1', port: 20_000 }],
    withinMs: 10_000,
    tables: async () => texts[Math.min(looks++, texts.length - 1)] ?? '',
    users: undefined,
    clock: {
      now: () => now,
      sleep: async (durationMs) => void (now += durationMs),
    },
  });
  return { left, looks };
}

describe('a drain', () => {
  it('ends with the last connection, and counts what stays', async () => {
    assert.deepEqual(await drained(header + row, header), { left: 0, looks: 2 });
    assert.equal((await drained(header + row)).left, 1);
  });

  it('looks again where the tables could not be read, as an empty text says nothing', async () => {
    assert.deepEqual(await drained('', header + row, '', header6, header), { left: 0, looks: 5 });
  });

  it('says so where they cannot be read until its time is over', async () => {
    await assert.rejects(drained(''), failsWith('router.unreachable', /cannot be read where NGINX runs/));
    await assert.rejects(drained(header6), failsWith('router.unreachable', /cannot be read where NGINX runs/));
  });
});
