// The statements of the SQLite store; each function runs inside a transaction of its caller.

import { assert } from '../../../base/assert.ts';
import type { Trial } from '../../../core/gate/trial.ts';
import type { Effect } from '../../../core/rollout/effect.ts';
import type { EventRecord, RecordDraft } from '../../../core/rollout/record.ts';
import type { Rollout } from '../../../core/rollout/rollout.ts';
import { type Situation, emptySituation } from '../../../core/rollout/situation.ts';
import { isFinal } from '../../../core/rollout/status.ts';
import type { Scope } from '../../../core/scope.ts';
import {
  type LeaseSlot,
  leaseLost,
  leaseOf,
  leaseStep,
  secondActive,
  versionConflict,
} from '../../../ports/store-rules.ts';
import type { Change, LeaseAnswer, LeaseRequest, RecordQuery, RolloutQuery, ScopeState } from '../../../ports/store.ts';
import type { Database, SqlValue } from './database.ts';
import { effectOf, number, recordOf, rolloutOf, scopeOf, situationOf, slotOf, text, trialOf } from './rows.ts';

const inScope = 'service = ? AND environment = ?';

export function writeChange(database: Database, change: Change): EventRecord | undefined {
  const { scope, rollout, record, effects, settled, situation, expectedVersion } = change;
  const held = readSlot(database, scope).held;
  if (held?.fence !== change.fence) throw leaseLost(scope, change.fence, held);
  if (rollout !== undefined && expectedVersion !== undefined) writeRollout(database, rollout, expectedVersion);
  writeSituation(database, scope, situation);
  for (const id of settled) database.run(`DELETE FROM outbox WHERE id = ? AND ${inScope}`, id, ...key(scope));
  for (const effect of effects) writeEffect(database, scope, effect);
  if (change.trial !== undefined) writeTrial(database, scope, change.trial);
  return record === undefined ? undefined : writeRecord(database, record);
}

function writeTrial(database: Database, scope: Scope, trial: Trial): void {
  database.run(
    `INSERT INTO trials (service, environment, deployment, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (service, environment) DO UPDATE SET deployment = excluded.deployment, body = excluded.body`,
    ...key(scope),
    trial.deployment,
    JSON.stringify(trial),
  );
}

function writeRollout(database: Database, rollout: Rollout, expectedVersion: number): void {
  const { scope } = rollout.plan;
  const stored = database.get('SELECT version FROM rollouts WHERE id = ?', rollout.id);
  const version = stored === undefined ? 0 : number(stored, 'version');
  const grows = stored === undefined || rollout.version > version;
  if (version !== expectedVersion || !grows) throw versionConflict(rollout.id, expectedVersion, version);
  const isActive = !isFinal(rollout.status);
  if (isActive) assertOnlyActive(database, rollout);
  database.run(
    `INSERT INTO rollouts (id, service, environment, version, active, body) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET version = excluded.version, active = excluded.active, body = excluded.body`,
    rollout.id,
    ...key(scope),
    rollout.version,
    isActive ? 1 : 0,
    JSON.stringify(rollout),
  );
}

function assertOnlyActive(database: Database, rollout: Rollout): void {
  const { scope } = rollout.plan;
  const other = database.get(
    `SELECT id FROM rollouts WHERE ${inScope} AND active = 1 AND id <> ?`,
    ...key(scope),
    rollout.id,
  );
  if (other !== undefined) throw secondActive(scope, rollout.id, text(other, 'id'));
}

/** Without a situation only makes the scope known. */
function writeSituation(database: Database, scope: Scope, situation: Situation | undefined): void {
  const onConflict = situation === undefined ? 'DO NOTHING' : 'DO UPDATE SET situation = excluded.situation';
  database.run(
    `INSERT INTO scopes (service, environment, situation) VALUES (?, ?, ?) ON CONFLICT (service, environment) ${onConflict}`,
    ...key(scope),
    JSON.stringify(situation ?? emptySituation(scope)),
  );
}

function writeEffect(database: Database, scope: Scope, effect: Effect): void {
  const present = database.get('SELECT 1 FROM outbox WHERE id = ?', effect.id);
  assert(present === undefined, `effect ${effect.id} is in the outbox already`);
  const sql = 'INSERT INTO outbox (id, service, environment, body) VALUES (?, ?, ?, ?)';
  database.run(sql, effect.id, ...key(scope), JSON.stringify(effect));
}

function writeRecord(database: Database, record: RecordDraft): EventRecord {
  const known = database.get('SELECT 1 FROM rollouts WHERE id = ?', record.deployment);
  assert(known !== undefined, `record of the unknown deployment ${record.deployment}`);
  const body = JSON.stringify(record);
  const sql = 'INSERT INTO records (service, environment, deployment, body) VALUES (?, ?, ?, ?)';
  const sequence = database.run(sql, ...key(record.scope), record.deployment, body);
  // As it will be read later, not the caller's own object.
  return { ...(JSON.parse(body) as RecordDraft), sequence };
}

export function readScopes(database: Database): readonly Scope[] {
  const sql = `SELECT service, environment FROM scopes
    UNION SELECT service, environment FROM leases WHERE held IS NOT NULL ORDER BY service, environment`;
  return database.all(sql).map(scopeOf);
}

export function readScope(database: Database, scope: Scope): ScopeState {
  const known = database.get(`SELECT * FROM scopes WHERE ${inScope}`, ...key(scope));
  const active = database.get(`SELECT * FROM rollouts WHERE ${inScope} AND active = 1`, ...key(scope));
  const outbox = database.all(`SELECT * FROM outbox WHERE ${inScope} ORDER BY number`, ...key(scope));
  const { held } = readSlot(database, scope);
  const trial = database.get(`SELECT * FROM trials WHERE ${inScope}`, ...key(scope));
  return {
    situation: known === undefined ? emptySituation({ ...scope }) : situationOf(known),
    ...(active === undefined ? {} : { active: rolloutOf(active) }),
    outbox: outbox.map(effectOf),
    ...(held === undefined ? {} : { lease: leaseOf(held) }),
    ...(trial === undefined ? {} : { trial: trialOf(trial) }),
  };
}

export function readRollouts(database: Database, query: RolloutQuery): readonly Rollout[] {
  const filter = where([
    ['id = ?', query.id],
    ['service = ?', query.scope?.service],
    ['environment = ?', query.scope?.environment],
  ]);
  const sql = `SELECT * FROM rollouts ${filter.sql} ORDER BY number DESC LIMIT ?`;
  return database.all(sql, ...filter.values, query.limit).map(rolloutOf);
}

export function readRecords(database: Database, query: RecordQuery): readonly EventRecord[] {
  const filter = where([
    ['sequence > ?', query.after],
    ['deployment = ?', query.deployment],
    ['service = ?', query.scope?.service],
    ['environment = ?', query.scope?.environment],
  ]);
  const sql = `SELECT * FROM records ${filter.sql} ORDER BY sequence ${query.order === undefined ? 'ASC' : 'DESC'} LIMIT ?`;
  return database.all(sql, ...filter.values, query.limit).map(recordOf);
}

export function stepLease(database: Database, request: LeaseRequest): LeaseAnswer {
  const before = readSlot(database, request.scope);
  const { slot, answer } = leaseStep(before, request);
  if (slot !== before) writeSlot(database, request.scope, slot);
  return answer;
}

function readSlot(database: Database, scope: Scope): LeaseSlot {
  const row = database.get(`SELECT * FROM leases WHERE ${inScope}`, ...key(scope));
  return row === undefined ? { fence: 0 } : slotOf(row);
}

function writeSlot(database: Database, scope: Scope, slot: LeaseSlot): void {
  database.run(
    `INSERT INTO leases (service, environment, fence, held) VALUES (?, ?, ?, ?)
     ON CONFLICT (service, environment) DO UPDATE SET fence = excluded.fence, held = excluded.held`,
    ...key(scope),
    slot.fence,
    slot.held === undefined ? null : JSON.stringify(slot.held),
  );
}

function key(scope: Scope): readonly [string, string] {
  return [scope.service, scope.environment];
}

/** The conditions whose value is given, joined. */
function where(conditions: readonly (readonly [string, SqlValue | undefined])[]): { sql: string; values: SqlValue[] } {
  const parts: string[] = [];
  const values: SqlValue[] = [];
  for (const [condition, value] of conditions) {
    if (value === undefined) continue;
    parts.push(condition);
    values.push(value);
  }
  return { sql: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, values };
}
