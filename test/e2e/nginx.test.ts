// Processes behind a real NGINX, deployed by the real controller under load; and what happens when that NGINX is killed.

import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { placesUnder } from '../../src/places.ts';
import { headers } from '../load/protocol.ts';
import { runLoad } from '../load/run-load.ts';
import { type Act, Scenario } from '../load/scenario.ts';
import { Site } from '../load/site.ts';
import { specOf } from '../load/spec.ts';
import { withoutNginx } from '../programs/nginx.ts';

const skip = await withoutNginx();

const acts: readonly Act[] = [
  { kind: 'deploy', strategy: 'canary', instances: 2 },
  { kind: 'rollback' },
  { kind: 'deploy', strategy: 'blue-green', instances: 1 },
  { kind: 'abort', strategy: 'canary' },
  { kind: 'deploy', strategy: 'rolling', instances: 2 },
  { kind: 'gate' },
];

it(
  'NGINX fails no request and cuts no stream while releases come and go',
  { skip, timeout: 300_000 },
  async (context) => {
    const site = await Site.open('nginx');
    context.after(() => site.close());
    const scenario = new Scenario({ site, drainMs: 20_000, holdMs: 400 });
    await scenario.play({ kind: 'deploy', strategy: 'blue-green', instances: 1 });
    const load = runLoad({
      port: site.port,
      connections: 32,
      requestsPerSecond: 400,
      downloads: 4,
      uploads: 4,
      sockets: 4,
      streamMsMax: 3_000,
    });
    context.after(() => load.kill());
    for (const act of acts) await scenario.play(act);
    const report = await load.stop();
    assert.deepEqual(report.failures, []);
    assert.equal(report.failed + report.cut, 0);
    assert.ok(report.streams > 0, 'no stream came to its end');
    assert.ok(report.deliberate > 0, 'the gate had no errors to judge');
    assert.deepEqual(Object.keys(report.versions).sort(), ['v1', 'v2', 'v3', 'v4', 'v5', 'v6']);
  },
);

it(
  'NGINX killed in the middle of a stage: told of, tried again, and nothing else changes',
  { skip, timeout: 300_000 },
  async (context) => {
    const site = await Site.open('nginx');
    context.after(() => site.close());
    const { nginx } = site.front;
    assert.ok(nginx !== undefined);
    const options = { site, drainMs: 1_000, holdMs: 60_000 };
    const scenario = new Scenario({ ...options, holdMs: 100 });
    await scenario.play({ kind: 'deploy', strategy: 'blue-green', instances: 1 });
    const spec = await specOf({ ...options, strategy: 'canary', version: 'next' });
    const begun = await site.client.deploy({ spec, label: 'next', actor: 'a@test' });
    const staged = await site.when(begun, ({ to }) => to === 'CANARY_WAITING');
    const before = await site.client.status();

    await nginx.kill();
    await site.client.command(spec.scope, { kind: 'abort', reason: 'NGINX is gone' }, { actor: 'a@test' });
    await until(
      async () => /router\.unreachable/.test(await readFile(placesUnder(site.home).log, 'utf8')),
      'it is told of',
    );
    const during = (await site.detail(staged)).rollout;
    assert.equal(during.status, 'ROLLING_BACK');
    const instances = ([status]: typeof before): readonly string[] =>
      (status?.instances ?? []).map(({ id, state }) => `${id} ${state}`).sort();
    assert.deepEqual(instances(await site.client.status()), instances(before));

    await rm(nginx.pidFile, { force: true });
    await nginx.start();
    const ended = await site.ended(begun);
    assert.equal(ended.status, 'ROLLED_BACK');
    for (let sent = 0; sent < 20; sent++) assert.equal(await versionAt(site.port), 'v1');
  },
);

async function versionAt(port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/', agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.headers[headers.release]));
    }).on('error', reject);
  });
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (await holds()) return;
    await sleep(50);
  }
  assert.fail(`did not happen: ${what}`);
}
