import { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  type ContractAnswer,
  type ContractRequest,
  routerContract,
  type RouterHarness,
} from '../../../ports/router.contract.ts';
import { freePort } from '../../../../test/free-port.ts';
import { Bench, get, scope } from './harness.ts';
import { withoutHaproxy } from '../../../../test/programs/haproxy.ts';

// Five standard deviations of half of 1,000 requests.
const tolerance = 800;

describe('HAProxy', { skip: withoutHaproxy }, () => {
  routerContract({ name: 'HAProxy', requests: 1_000, tolerance }, async (): Promise<RouterHarness> => {
    const bench = new Bench();
    const preview = { host: '127.0.0.1', port: await freePort() };
    const { router, spec } = await bench.router({ preview });
    const held = new Map<string, { instance: string; finish: () => void }>();
    let holds = 0;

    const ask = async (options: ContractRequest = {}, hold?: string): Promise<ContractAnswer> => {
      const address = options.preview === true ? preview : spec.listen;
      const { status, headers } = await get(address, {
        ...options.headers,
        ...(hold === undefined ? {} : { 'x-hold': hold }),
      });
      const instance = headers['x-instance'];
      return {
        status,
        instance: typeof instance === 'string' ? instance : undefined,
        cookies: (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0] ?? ''),
      };
    };

    return {
      router,
      scope,
      startInstance: async (id) => {
        const { instance, address } = await bench.instance(id, (asked, response) => {
          response.setHeader('x-instance', id);
          const hold = asked.headers['x-hold'];
          if (typeof hold === 'string') held.set(hold, { instance: id, finish: () => response.end(id) });
          else response.end(id);
        });
        return { instance, address };
      },
      request: (options) => ask(options),
      hold: async (options) => {
        const key = String((holds += 1));
        const answer = ask(options, key);
        answer.catch(() => undefined);
        for (;;) {
          const reached = held.get(key);
          if (reached !== undefined) return { ...reached, answer };
          await sleep(5);
        }
      },
      close: () => bench.end(),
    };
  });
});
