import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';

import {
  type ContractAnswer,
  type ContractRequest,
  routerContract,
  type RouterHarness,
} from '../../../ports/router.contract.ts';
import { Bench, scope } from './harness.ts';
import { freePort } from '../../../../test/free-port.ts';

routerContract({ name: 'the built-in proxy', requests: 400 }, async (): Promise<RouterHarness> => {
  const bench = new Bench();
  const { router, spec } = await bench.router({ preview: { host: '127.0.0.1', port: await freePort() } });
  const held = new Map<string, { instance: string; finish: () => void }>();
  let holds = 0;

  const ask = (options: ContractRequest = {}, hold?: string): Promise<ContractAnswer> => {
    const address = options.preview === true ? (spec.preview ?? spec.listen) : spec.listen;
    const headers = { ...options.headers, ...(hold === undefined ? {} : { 'x-hold': hold }) };
    return new Promise((resolve, reject) => {
      const asked = request({ ...address, headers, agent: false }, (answer) => {
        answer.on('error', reject);
        answer.on('end', () => resolve(answerOf(answer)));
        answer.resume();
      });
      asked.on('error', reject);
      asked.end();
    });
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
        await new Promise((resolve) => {
          setTimeout(resolve, 5);
        });
      }
    },
    close: () => bench.end(),
  };
});

function answerOf(answer: IncomingMessage): ContractAnswer {
  const instance = answer.headers['x-instance'];
  return {
    status: answer.statusCode ?? 0,
    instance: typeof instance === 'string' ? instance : undefined,
    cookies: (answer.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0] ?? ''),
  };
}
