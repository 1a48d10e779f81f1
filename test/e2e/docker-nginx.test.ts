// A service in containers behind an NGINX that is there already, from its first release to a rollback, as a person runs it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';

import { noEngine } from '../docker/engine.ts';
import { removeLabelled } from '../docker/image.ts';
import { type Fault, shopImage } from '../docker/shop.ts';
import { OwnNginx, withoutNginx } from '../programs/nginx.ts';
import { type Ran, Sandbox } from './support/sandbox.ts';
import { ask, Visitor } from './support/visitors.ts';

const skip = (await withoutNginx()) || (await noEngine());

const canary = {
  strategy: { canary: { stages: ['30%', '100%'], hold: { atLeast: '300ms', requests: 5 }, keepOld: '0s' } },
  // Two visitors are far too few for the statistics.
  gates: { compare: 'off', errorRate: { max: '5%', minSamples: 5 }, availability: 'off', p95: 'off' },
};

it('containers behind NGINX come, go back and fail no request', { skip, timeout: 300_000 }, async (context) => {
  const [sandbox, nginx, mark] = [await Sandbox.open(), await OwnNginx.make(), randomBytes(6).toString('hex')];
  context.after(async () => {
    await removeLabelled(`sluice.test=${mark}`);
    await sandbox.close();
    await nginx.close();
  });
  await nginx.start();
  const from = 21_000 + (sandbox.port % 900) * 12;
  const deploy = async (version: string, changes: object = {}, fault: Fault = 'none'): Promise<Ran> => {
    await sandbox.configure({
      release: { image: await shopImage(version, fault) },
      port: 8080,
      stopGrace: '3s',
      platform: { docker: { labels: { 'sluice.test': mark }, ports: { from, to: from + 5 } } },
      router: { nginx: { listen: `127.0.0.1:${sandbox.port}`, include: nginx.include, program: [...nginx.program] } },
      ...changes,
    });
    return sandbox.sluice('deploy', '--label', version, '--json');
  };
  const done = (ran: Ran): void => assert.equal(ran.code, 0, `${ran.stdout}${ran.stderr}`);

  done(await deploy('v1'));
  const visitors = [new Visitor(sandbox.port), new Visitor(sandbox.port)];
  context.after(() => Promise.all(visitors.map((visitor) => visitor.leave())));
  done(await deploy('v2'));
  assert.equal(await ask(sandbox.port), 'v2');
  done(await deploy('v3', { ...canary, instances: 2 }));
  assert.equal(await ask(sandbox.port), 'v3');
  done(await sandbox.sluice('rollback'));
  assert.equal(await ask(sandbox.port), 'v2');
  for (const visitor of visitors) await visitor.leave();
  assert.deepEqual(
    visitors.flatMap(({ failures }) => failures),
    [],
  );

  const last = new Visitor(sandbox.port);
  context.after(() => last.leave());
  const failing = await deploy('v4', canary, 'fails');
  await last.leave();
  assert.equal(failing.code, 1, `${failing.stdout}${failing.stderr}`);
  assert.equal(await ask(sandbox.port), 'v2');
});
