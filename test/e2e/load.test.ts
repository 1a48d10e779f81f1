// The shorter form of `npm run bench:switch`: all three strategies and ways back of each kind under load, without a failed request or a stream cut. Timing is measured there.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import type { LoadReport } from '../load/report.ts';
import { runLoad } from '../load/run-load.ts';
import { type Act, Scenario } from '../load/scenario.ts';
import { Site } from '../load/site.ts';

const acts: readonly Act[] = [
  { kind: 'deploy', strategy: 'canary', instances: 2 },
  { kind: 'rollback' },
  { kind: 'deploy', strategy: 'blue-green', instances: 1 },
  { kind: 'abort', strategy: 'canary' },
  { kind: 'deploy', strategy: 'rolling', instances: 3 },
  { kind: 'gate' },
];

const requestsLeast = 2_000;

it('no request fails and no stream is cut while releases come and go', { timeout: 300_000 }, async (context) => {
  const site = await Site.open();
  context.after(() => site.close());
  const scenario = new Scenario({ site, drainMs: 20_000, holdMs: 400 });
  await scenario.play({ kind: 'deploy', strategy: 'blue-green', instances: 1 });
  const load = runLoad({
    port: site.port,
    connections: 64,
    requestsPerSecond: 400,
    downloads: 8,
    uploads: 8,
    sockets: 8,
    streamMsMax: 3_000,
  });
  context.after(() => load.kill());
  for (const act of acts) await scenario.play(act);
  const report = await load.stop();
  assertUnharmed(report);
  assert.ok(report.requests >= requestsLeast, `only ${report.requests} requests were sent`);
  assert.ok(report.deliberate > 0, 'the gate had no errors to judge');
  // First release, the canary that was rolled back, blue-green, the aborted one, rolling and the bad one.
  assert.deepEqual(Object.keys(report.versions).sort(), ['v1', 'v2', 'v3', 'v4', 'v5', 'v6']);
});

function assertUnharmed(report: LoadReport): void {
  assert.deepEqual(report.failures, []);
  assert.equal(report.failed, 0);
  assert.equal(report.cut, 0);
  assert.ok(report.streams > 0, 'no stream came to its end');
}
