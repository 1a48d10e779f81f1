// The process platform behind a HAProxy of the user's: releases come and go under load, and HAProxy itself is killed in the middle of a stage.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { placesUnder } from '../../src/places.ts';
import { runLoad } from '../load/run-load.ts';
import { type Act, Scenario } from '../load/scenario.ts';
import { Site } from '../load/site.ts';
import { specOf } from '../load/spec.ts';
import { withoutHaproxy } from '../programs/haproxy.ts';

const acts: readonly Act[] = [
  { kind: 'deploy', strategy: 'canary', instances: 2 },
  { kind: 'rollback' },
  { kind: 'deploy', strategy: 'blue-green', instances: 1 },
  { kind: 'abort', strategy: 'canary' },
  { kind: 'deploy', strategy: 'rolling', instances: 3 },
  { kind: 'gate' },
];

describe('the process platform with HAProxy', { skip: withoutHaproxy, timeout: 400_000 }, () => {
  it('no request fails and no stream is cut while releases come and go', async (context) => {
    const site = await opened(context);
    const scenario = new Scenario({ site, drainMs: 20_000, holdMs: 400 });
    await scenario.play({ kind: 'deploy', strategy: 'blue-green', instances: 1 });
    const load = runLoad({
      port: site.port,
      connections: 64,
      requestsPerSecond: 300,
      downloads: 8,
      uploads: 8,
      sockets: 8,
      streamMsMax: 3_000,
    });
    context.after(() => load.kill());
    for (const act of acts) await scenario.play(act);
    const report = await load.stop();
    assert.deepEqual(report.failures, []);
    assert.deepEqual([report.failed, report.cut], [0, 0]);
    assert.ok(report.streams > 0 && report.requests > 2_000, `${report.requests} requests, ${report.streams} streams`);
    assert.ok(report.deliberate > 0, 'the gate had no errors to judge');
    assert.deepEqual(Object.keys(report.versions).sort(), ['v1', 'v2', 'v3', 'v4', 'v5', 'v6']);
  });

  it('HAProxy killed in the middle of a stage is told, changes nothing else, and the deployment goes on when it is back', async (context) => {
    const site = await opened(context);
    const scenario = new Scenario({ site, drainMs: 5_000, holdMs: 400 });
    await scenario.play({ kind: 'deploy', strategy: 'blue-green', instances: 1 });
    const options = { site, drainMs: 5_000, holdMs: 3_000 };
    const spec = await specOf({ ...options, strategy: 'canary', version: 'next' });
    const begun = await site.client.deploy({ spec, label: 'next', actor: 'test' });
    await site.when(begun, ({ to }) => to === 'CANARY_WAITING');
    await site.front.program?.kill();
    const log = placesUnder(site.home).log;
    while (!(await readFile(log, 'utf8')).includes('the router does not answer')) await sleep(50);
    const { rollout } = await site.client.detail(begun.id);
    assert.match(rollout.status, /^CANARY/);
    assert.equal(rollout.course, 'forward');
    await site.front.program?.run();
    // The share of the stage, which HAProxy found on the disk, brings the requests that the stage waits for.
    const load = runLoad({
      port: site.port,
      connections: 16,
      requestsPerSecond: 300,
      downloads: 0,
      uploads: 0,
      sockets: 0,
      streamMsMax: 1_000,
    });
    context.after(() => load.kill());
    assert.equal((await site.ended(begun)).status, 'VERIFIED');
    const report = await load.stop();
    assert.deepEqual(report.failures, []);
    assert.deepEqual(Object.keys(report.versions).sort(), ['next', 'v1']);
  });
});

async function opened(context: TestContext): Promise<Site> {
  const site = await Site.open('haproxy');
  context.after(() => site.close());
  return site;
}
