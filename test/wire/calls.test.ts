// Every question of the contract over every way to a server: within the process, unix socket, TCP.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from '../../src/base/failure.ts';
import type { Client } from '../../src/client/client.ts';
import type { CheckOutcome } from '../../src/core/validation/check.ts';
import type { DeployRequest, RollbackRequest } from '../../src/engine/controller.ts';
import { emptySituation } from '../../src/core/rollout/situation.ts';
import { aRecord, aRollout, aSpec, rejectsWith, shop, shopStaging } from '../../src/ports/store-samples.ts';
import { type Answers, fakeController } from './fake-controller.ts';
import { serve } from './with-server.ts';

const rollout = aRollout('d-1', 3, { reason: 'because — “ü😀”' });
const record = { ...aRecord(rollout), sequence: 7 };
const planned = { plan: rollout.plan, digest: 'sha256:abc' };
const status = { situation: emptySituation(shop), attended: true, instances: [], active: rollout };
const outcome: CheckOutcome = { name: 'GET /', passed: true, attempts: 1, durationMs: 3, reason: 'ok' };
const pruned = { releases: [{ id: 'shop@1', bytes: 5 }], instances: ['i-1'], dryRun: true };

const deploy: DeployRequest = { spec: aSpec(shop), label: '1.4.2', planDigest: 'sha256:abc', actor: 'ada@machine' };
const back: RollbackRequest = { scope: shop, reason: 'it is slow', actor: 'ada@machine' };

const answers: Answers = {
  plan: async () => planned,
  deploy: async () => rollout,
  planRollback: async () => planned,
  rollback: async () => rollout,
  command: async () => rollout,
  status: async () => [status],
  history: async () => [rollout],
  detail: async () => ({ rollout, records: [record] }),
  validate: async () => [outcome],
  prune: async () => pruned,
};

interface Case {
  readonly name: string;
  readonly ask: (client: Client) => Promise<unknown>;
  readonly asked: readonly unknown[];
  readonly answer: unknown;
}

const idWithSlashes = 'd-1/../%2e ?#&=ü';
const abort = { kind: 'abort', reason: 'a & b = c?' } as const;
const validation = { spec: aSpec(shop), through: 'preview' } as const;

const cases: readonly Case[] = [
  { name: 'plan', ask: (client) => client.plan(deploy), asked: ['plan', deploy], answer: planned },
  { name: 'deploy', ask: (client) => client.deploy(deploy), asked: ['deploy', deploy], answer: rollout },
  {
    name: 'planRollback',
    ask: (client) => client.planRollback({ ...back, to: 'shop@3f' }),
    asked: ['planRollback', { ...back, to: 'shop@3f' }],
    answer: planned,
  },
  { name: 'rollback', ask: (client) => client.rollback(back), asked: ['rollback', back], answer: rollout },
  {
    name: 'command',
    ask: (client) => client.command(shop, abort, { actor: 'ada@machine' }),
    asked: ['command', shop, abort, { actor: 'ada@machine' }],
    answer: rollout,
  },
  { name: 'status of one', ask: (client) => client.status(shop), asked: ['status', shop], answer: [status] },
  { name: 'status of all', ask: (client) => client.status(), asked: ['status', undefined], answer: [status] },
  {
    name: 'history',
    ask: (client) => client.history({ scope: shopStaging, limit: 5 }),
    asked: ['history', { scope: shopStaging, limit: 5 }],
    answer: [rollout],
  },
  {
    name: 'history of all',
    ask: (client) => client.history({ limit: 1000 }),
    asked: ['history', { limit: 1000 }],
    answer: [rollout],
  },
  {
    name: 'detail',
    ask: (client) => client.detail(idWithSlashes),
    asked: ['detail', idWithSlashes],
    answer: { rollout, records: [record] },
  },
  {
    name: 'validate',
    ask: (client) => client.validate(validation, new AbortController().signal),
    asked: ['validate', validation],
    answer: [outcome],
  },
  {
    name: 'prune',
    ask: (client) => client.prune({ scope: shop, dryRun: true, actor: 'ada@machine' }),
    asked: ['prune', { scope: shop, dryRun: true, actor: 'ada@machine' }],
    answer: pruned,
  },
];

describe('calls over the wire', () => {
  it('reach the controller as they were asked and come back as they were answered', async (context) => {
    const controller = fakeController(answers);
    const { clients } = await serve(context, controller);
    for (const client of Object.values(clients)) {
      for (const each of cases) {
        assert.deepEqual(await each.ask(client), each.answer, each.name);
        const asked = structuredClone(controller.asked.at(-1) ?? []);
        assert.deepEqual(asked, each.asked, each.name);
      }
    }
  });

  it('bring failures of the controller back as the same failures', async (context) => {
    const failure = new Failure('deployment.locked', 'd-1 holds the lock.', {
      remedy: 'Wait.',
      at: 'shop/production',
      details: { holder: 'c-1', since: 5 },
    });
    const { clients } = await serve(context, fakeController({ deploy: () => Promise.reject(failure) }));
    for (const client of Object.values(clients)) {
      const received = await rejectsWith(client.deploy(deploy), 'deployment.locked');
      assert.deepEqual(received.toJSON(), failure.toJSON());
    }
  });

  it('bring defects back as internal failures without a stack', async (context) => {
    const { clients } = await serve(
      context,
      fakeController({ status: () => Promise.reject(new TypeError('x is undefined')) }),
    );
    const received = await rejectsWith(clients.tcp.status(), 'internal');
    assert.equal(received.message, 'x is undefined');
    assert.doesNotMatch(JSON.stringify(received), /app\.ts/);
  });

  it('refuse a request that is not as the contract says, and name the place', async (context) => {
    const controller = fakeController(answers);
    const { clients } = await serve(context, controller);
    const wrong: readonly [() => Promise<unknown>, RegExp][] = [
      [() => clients.tcp.deploy({ ...deploy, spec: { ...deploy.spec, instances: -1 } }), /spec\.instances/],
      [() => clients.tcp.deploy({ ...deploy, extra: 1 } as DeployRequest), /extra/],
      [() => clients.tcp.history({ limit: 0 }), /limit/],
      [() => clients.tcp.history({ limit: 1.5 }), /limit/],
      [() => clients.tcp.status({ service: 'shop' } as never), /scope\.environment/],
      [() => clients.tcp.rollback({ ...back, reason: 'red \u001b[31m' }), /reason.*control characters/],
      [() => clients.tcp.command(shop, { kind: 'delete' } as never, { actor: 'a' }), /command\.kind/],
    ];
    for (const [ask, words] of wrong) assert.match((await rejectsWith(ask(), 'request.invalid')).message, words);
    assert.deepEqual(controller.asked, []);
  });

  it('give the health of the server', async (context) => {
    const { clients } = await serve(context, fakeController());
    assert.deepEqual(await clients.socket.health(), { status: 'ok', api: 1 });
  });

  it('end the work in the controller when the asker gives up', async (context) => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const controller = fakeController({
      validate: (_, signal) => {
        begin();
        signal.addEventListener('abort', () => resolve(), { once: true });
        return new Promise(() => {});
      },
    });
    const { clients } = await serve(context, controller);
    const giveUp = new AbortController();
    const asked = clients.socket.validate(validation, giveUp.signal);
    await begun;
    giveUp.abort(new Error('enough'));
    await assert.rejects(asked, /enough/);
    await aborted;
  });
});
