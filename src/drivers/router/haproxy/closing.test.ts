// Clients are asked to close their connections before a reload: what that must not break, and that it is taken back.

import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { type Haproxy, withoutHaproxy } from '../../../../test/programs/haproxy.ts';
import type { Address } from '../../../core/instance.ts';
import type { Scope } from '../../../core/scope.ts';
import { closingLine } from './config/record.ts';
import { Bench, group, routerFor, routesOf, scope, testSpec } from './harness.ts';

/** As every controller does before a reload, for the services of all. */
async function askToClose(haproxy: Haproxy, { service, environment }: Scope): Promise<void> {
  const map = (await readdir(haproxy.own)).find(
    (file) => file.startsWith(`${service}.${environment}.`) && file.endsWith('.map'),
  );
  const path = join(haproxy.own, map ?? '');
  const line = /value="(v1:[^"]+)"/.exec(await haproxy.ask(`get map ${path} routes`))?.[1] ?? '';
  assert.equal((await haproxy.ask(`set map ${path} routes ${closingLine(line, true)}`)).trim(), '');
}

/** Whether a client that would keep its connection is asked to close it. */
function isAsked({ host, port }: Address): Promise<boolean> {
  const agent = new Agent({ keepAlive: true });
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, agent }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        agent.destroy();
        resolve(answer.headers.connection === 'close');
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

function upgraded({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, headers: { Connection: 'Upgrade', Upgrade: 'echo' }, agent: false });
    asked.on('upgrade', (_answer, socket) => {
      socket.destroy();
      resolve(true);
    });
    asked.on('response', (answer) => {
      answer.resume();
      resolve(false);
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('clients that are asked to close', { skip: withoutHaproxy }, () => {
  it('may upgrade them all the same, as for a WebSocket', async (context) => {
    const bench = new Bench();
    context.after(() => bench.end());
    const { router, spec, haproxy } = await bench.router();
    const instance = await bench.instance('old');
    instance.server.on('upgrade', (_asked, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    });
    await router.apply(routesOf(1, [group('old', 10_000, instance)]));
    assert.equal(await upgraded(spec.listen), true);
    await askToClose(haproxy, scope);
    assert.equal(await isAsked(spec.listen), true);
    assert.equal(await upgraded(spec.listen), true);
  });

  it('are asked no more once somebody comes after a controller that was killed in between', async (context) => {
    const bench = new Bench();
    context.after(() => bench.end());
    const { router, spec, haproxy } = await bench.router();
    const instance = await bench.instance('old');
    await router.apply(routesOf(1, [group('old', 10_000, instance)]));
    await askToClose(haproxy, scope);
    await writeFile(join(haproxy.own, '.sluice.closing'), '');
    const mail = { service: 'mail', environment: 'test' };
    // Its first routes need a reload, which ends it as well; these are its second.
    const other = routerFor(await testSpec(haproxy));
    await other.router.apply({ ...routesOf(1, [group('a', 10_000, instance)]), scope: mail });
    await askToClose(haproxy, scope);
    assert.equal(await isAsked(spec.listen), true);
    await writeFile(join(haproxy.own, '.sluice.closing'), '');
    await other.router.apply({ ...routesOf(2, [group('b', 10_000, instance)]), scope: mail });
    assert.equal(await isAsked(spec.listen), false);
    assert.ok(!(await readdir(haproxy.own)).includes('.sluice.closing'));
  });
});
