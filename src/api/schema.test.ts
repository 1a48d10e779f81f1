// The schemas of the wire have the types of the controller, and take and refuse what they should.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FailureData } from '../base/failure.ts';
import type { Scope } from '../core/scope.ts';
import type {
  Command,
  Controller,
  DeployRequest,
  HistoryQuery,
  LogsRequest,
  PruneRequest,
  RollbackRequest,
  StreamQuery,
  ValidateRequest,
} from '../engine/controller.ts';
import { aRecord, aRollout, aSpec, shop } from '../ports/store-samples.ts';
import type { CallName, ItemOf, ReplyOf, RequestOf, StreamName } from './routes.ts';
import { failure } from './schema-failure.ts';
import { rollout, scopeStatus, streamItem } from './schema-replies.ts';
import { command, historyQuery, logsRequest, rollbackRequest } from './schema-requests.ts';
import { deployRequest } from './schema-spec-requests.ts';

/** Same fields with the same types, whether read-only or not, and as optional. */
type Same<A, B> = [A] extends [B]
  ? [B] extends [A]
    ? keyof A extends keyof B
      ? keyof B extends keyof A
        ? true
        : never
      : never
    : never
  : never;

type Awaitable<Name extends CallName> = Awaited<ReturnType<Controller[Name]>>;
type Item<Name extends StreamName> = ReturnType<Controller[Name]> extends AsyncIterable<infer Each> ? Each : never;

// Each line is a type error when the schema and the controller part.
const sameTypes = [
  true satisfies Same<RequestOf<'plan'>, DeployRequest>,
  true satisfies Same<RequestOf<'deploy'>, DeployRequest>,
  true satisfies Same<RequestOf<'planRollback'>, RollbackRequest>,
  true satisfies Same<RequestOf<'rollback'>, RollbackRequest>,
  true satisfies Same<RequestOf<'command'>['command'], Command>,
  true satisfies Same<RequestOf<'command'>['scope'], Scope>,
  true satisfies Same<RequestOf<'history'>, HistoryQuery>,
  true satisfies Same<RequestOf<'stream'>, StreamQuery>,
  true satisfies Same<RequestOf<'logs'>, LogsRequest>,
  true satisfies Same<RequestOf<'validate'>, ValidateRequest>,
  true satisfies Same<RequestOf<'prune'>, PruneRequest>,
  true satisfies Same<ReplyOf<'plan'>, Awaitable<'plan'>>,
  true satisfies Same<ReplyOf<'deploy'>, Awaitable<'deploy'>>,
  true satisfies Same<ReplyOf<'planRollback'>, Awaitable<'planRollback'>>,
  true satisfies Same<ReplyOf<'rollback'>, Awaitable<'rollback'>>,
  true satisfies Same<ReplyOf<'command'>, Awaitable<'command'>>,
  true satisfies Same<ReplyOf<'status'>[number], Awaitable<'status'>[number]>,
  true satisfies Same<ReplyOf<'history'>[number], Awaitable<'history'>[number]>,
  true satisfies Same<ReplyOf<'detail'>, Awaitable<'detail'>>,
  true satisfies Same<ReplyOf<'validate'>[number], Awaitable<'validate'>[number]>,
  true satisfies Same<ReplyOf<'prune'>, Awaitable<'prune'>>,
  true satisfies Same<ItemOf<'stream'>, Item<'stream'>>,
  true satisfies Same<ItemOf<'logs'>, Item<'logs'>>,
];

/** Every question of the controller has a route; only its end cannot be asked over the wire. */
const everyQuestion = true satisfies Same<CallName | StreamName, Exclude<keyof Controller, 'close'>>;

describe('the schemas of the wire', () => {
  it('have the types of the controller', () => {
    assert.ok(everyQuestion && sameTypes.every(Boolean));
  });

  it('take whole requests and refuse unknown fields', () => {
    const deploy = { spec: aSpec(shop), actor: 'ada@machine' };
    assert.deepEqual(deployRequest.parse(deploy), deploy);
    const facts = { safety: { tests: { total: 3, failed: 1, skipped: 1 } }, coverage: { lines: 9, covered: 9 } };
    assert.deepEqual(deployRequest.parse({ ...deploy, facts }), { ...deploy, facts });
    for (const wrong of [
      { ...deploy, force: true },
      { ...deploy, facts: { mood: 'good' } },
      { ...deploy, facts: { safety: { tests: { total: 1, failed: 1, skipped: 1 } } } },
      { ...deploy, facts: { coverage: { lines: 1, covered: 2 } } },
      { ...deploy, facts: { change: { commit: '; rm' } } },
      { spec: deploy.spec },
      { ...deploy, actor: '' },
      { ...deploy, actor: 'a\nb' },
    ]) {
      assert.equal(deployRequest.safeParse(wrong).success, false);
    }
    const rollback = { scope: shop, reason: '', actor: 'a' };
    assert.deepEqual(rollbackRequest.parse(rollback), rollback);
    for (const service of ['Shop', 'shop/x', '-shop', 'x'.repeat(64), '..', '']) {
      assert.equal(rollbackRequest.safeParse({ ...rollback, scope: { ...shop, service } }).success, false, service);
    }
    assert.equal(command.safeParse({ kind: 'promote' }).success, false);
    assert.equal(historyQuery.safeParse({ limit: 1001 }).success, false);
    const logs = { scope: shop, lastLines: 10, follow: true };
    assert.deepEqual(logsRequest.parse(logs), logs);
    assert.equal(logsRequest.safeParse({ ...logs, lastLines: 1e9 }).success, false);
  });

  it('let replies of a newer server pass, but not such without their outer fields', () => {
    const newer = { ...aRollout('d-1', 1), moon: 'full' };
    assert.deepEqual(rollout.parse(newer), newer);
    const { status: _, ...without } = newer;
    for (const wrong of [without, { ...newer, status: 'DANCING' }, { ...newer, version: '1' }, null]) {
      assert.equal(rollout.safeParse(wrong).success, false);
    }
    assert.equal(scopeStatus.safeParse({ situation: {}, attended: true, instances: [], active: {} }).success, false);
    const record = { ...aRecord(aRollout('d-1', 1)), sequence: 1 };
    assert.deepEqual(streamItem.parse({ kind: 'record', record }), { kind: 'record', record });
    assert.equal(streamItem.safeParse({ kind: 'record', live: record }).success, false);
    assert.equal(streamItem.safeParse({ kind: 'moon' }).success, false);
  });

  it('keep every field of a failure', () => {
    const data: FailureData = { code: 'store.full', message: 'm', remedy: 'r', at: 'a', details: { a: [1] } };
    assert.deepEqual(failure.parse(data), data);
  });
});
