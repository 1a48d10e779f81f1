// The drain limit: streams of the release that was left are cut when it is reached, and not a moment before.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Site } from '../load/site.ts';
import { specOf } from '../load/spec.ts';
import { download, socket, type Stream } from '../load/streams.ts';

const drainMs = 2_000;
/** Clocks of two processes, both in whole milliseconds. */
const roundingMs = 5;

interface Ended {
  readonly at: number;
  readonly problem?: string | undefined;
}

async function endOf(stream: Stream, port: number, durationMs: number): Promise<Ended> {
  const problem = await stream(port, durationMs).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  return { at: Date.now(), problem };
}

it(
  'streams live on in the old release until the drain limit, and are cut then',
  { timeout: 120_000 },
  async (context) => {
    const site = await Site.open();
    context.after(() => site.close());
    const options = { site, strategy: 'rolling', drainMs, holdMs: 0 } as const;
    await site.deploy(await specOf({ ...options, version: 'v1' }), 'v1');
    // A release goes up within seconds; on a slow machine the long ones have to be longer still.
    const long = [download, socket].map((stream) => endOf(stream, site.port, 110_000));
    const rollout = await site.deploy(await specOf({ ...options, version: 'v2' }), 'v2');
    assert.equal(rollout.status, 'VERIFIED');
    const ends = await Promise.all(long);

    const { records } = await site.detail(rollout);
    const drained = records.findIndex(({ event }) => event.kind === 'effect-done' && event.result.kind === 'drained');
    const [before, after] = [records[drained - 1], records[drained]];
    assert.match(after?.words ?? '', /\(2 cut\)/);
    for (const { at, problem } of ends) {
      assert.notEqual(problem, undefined);
      assert.ok(
        at - (before?.at ?? 0) >= drainMs - roundingMs,
        `cut ${at - (before?.at ?? 0)} ms after the drain began`,
      );
    }
  },
);
