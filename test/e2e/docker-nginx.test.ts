// A service in containers behind an NGINX that is there already, from its first release to a rollback, as a person runs it.

import { randomBytes } from 'node:crypto';
import { it } from 'node:test';

import { noEngine } from '../docker/engine.ts';
import { removeLabelled } from '../docker/image.ts';
import { type Fault, shopImage } from '../docker/shop.ts';
import { OwnNginx, withoutNginx } from '../programs/nginx.ts';
import { comeAndGo } from './support/come-and-go.ts';
import { type Ran, Sandbox } from './support/sandbox.ts';

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
  await comeAndGo(context, { sandbox, deploy, canary, judged: canary });
});
