// Rows of the SQLite store to values and back. They are our own writing, so only what a damaged or foreign file would break is checked.

import type { Trial } from '../../../core/gate/trial.ts';
import type { Effect } from '../../../core/rollout/effect.ts';
import type { EventRecord, RecordDraft } from '../../../core/rollout/record.ts';
import type { Rollout } from '../../../core/rollout/rollout.ts';
import type { Situation } from '../../../core/rollout/situation.ts';
import { type Scope, sameScope, scopeName } from '../../../core/scope.ts';
import type { HeldLease, LeaseSlot } from '../../../ports/store-rules.ts';
import type { Row } from './database.ts';

/** A row that does not say what its columns say; becomes `store.corrupt` at the driver's border. */
export class DamagedRow extends Error {
  override readonly name = 'DamagedRow';
}

export function rolloutOf(row: Row): Rollout {
  const what = `deployment ${text(row, 'id')}`;
  const rollout = parse(row['body'], what) as Rollout;
  expect(rollout.id === row['id'] && rollout.version === row['version'], what);
  expect(isScope(rollout.plan?.scope) && sameScope(rollout.plan.scope, scopeOf(row)), what);
  return rollout;
}

export function recordOf(row: Row): EventRecord {
  const sequence = number(row, 'sequence');
  const what = `record ${sequence}`;
  const draft = parse(row['body'], what) as RecordDraft;
  expect(draft.deployment === row['deployment'] && isScope(draft.scope), what);
  return { ...draft, sequence };
}

export function effectOf(row: Row): Effect {
  const what = `effect ${text(row, 'id')}`;
  const effect = parse(row['body'], what) as Effect;
  expect(effect.id === row['id'] && typeof effect.action === 'object', what);
  return effect;
}

export function situationOf(row: Row): Situation {
  const scope = scopeOf(row);
  const what = `situation of ${scopeName(scope)}`;
  const situation = parse(row['situation'], what) as Situation;
  expect(isScope(situation.scope) && sameScope(situation.scope, scope), what);
  return situation;
}

export function trialOf(row: Row): Trial {
  const what = `trial of ${scopeName(scopeOf(row))}`;
  const trial = parse(row['body'], what) as Trial;
  expect(trial.deployment === row['deployment'], what);
  expect(trial.gate === undefined || trial.gate.version === 1, what);
  return trial;
}

export function slotOf(row: Row): LeaseSlot {
  const scope = scopeOf(row);
  const what = `lease of ${scopeName(scope)}`;
  const fence = number(row, 'fence');
  if (row['held'] === null) return { fence };
  const held = parse(row['held'], what) as HeldLease;
  expect(held.fence === fence && isScope(held.scope) && sameScope(held.scope, scope), what);
  expect(Number.isFinite(held.until) && Number.isFinite(held.forMs) && typeof held.holder === 'object', what);
  return { fence, held };
}

export function scopeOf(row: Row): Scope {
  return { service: text(row, 'service'), environment: text(row, 'environment') };
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new DamagedRow(`column ${column} is no text`);
  return value;
}

export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new DamagedRow(`column ${column} is no number`);
  return value;
}

function parse(json: unknown, what: string): object {
  try {
    const value: unknown = JSON.parse(String(json));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw new DamagedRow(`${what} cannot be read`, { cause });
  }
  throw new DamagedRow(`${what} is no object`);
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new DamagedRow(`${what} does not match its row`);
}

function isScope(value: unknown): value is Scope {
  return typeof value === 'object' && value !== null && 'service' in value && 'environment' in value;
}
