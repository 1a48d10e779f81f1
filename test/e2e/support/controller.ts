// A real controller on the real drivers that carries out one order after the other and kills itself at a commit where it is told to.

import { flushCompileCache } from 'node:module';

import { compose } from '../../../src/compose.ts';
import { failureData } from '../../../src/base/failure.ts';
import type { Scope } from '../../../src/core/scope.ts';
import type { Store } from '../../../src/ports/store.ts';
import { isCooling } from './cooling.ts';
import type { Order, Report, Trap } from './orders.ts';

const [home] = process.argv.slice(2);
const timing = { superviseMs: 200, judgeMs: 50, retryFirstMs: 20, retryLongestMs: 200 };

let commits = 0;
let trap: Trap | undefined;
let scope: Scope | undefined;
let looking: Pick<Store, 'scopes'> | undefined;

const composed = await compose({ home, verbose: false, timing, aroundStore: trapped });
const { engine } = composed;
// Whoever gives the orders is gone.
process.on('disconnect', () => process.exit(1));
process.on('message', (order: Order) => void obey(order));
engine.serve();
tell({ kind: 'ready' });

/** The store, with the trap around each commit. */
function trapped(store: Store): Store {
  looking = store;
  return {
    scopes: (asked) => store.scopes(asked),
    rollouts: (query) => store.rollouts(query),
    records: (query) => store.records(query),
    lease: (request) => store.lease(request),
    async commit(change) {
      commits += 1;
      const number = commits;
      if (number + 1 === trap?.commit) postPending();
      if (number === trap?.commit && trap.side === 'before') await die();
      const record = await store.commit(change);
      if (number === trap?.commit && trap.side === 'after') await die();
      return record;
    },
  };
}

/** No handler, no flushed buffer, no goodbye: as the system's own `kill -9`. */
async function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => undefined);
}

function postPending(): void {
  if (trap?.pending === undefined || scope === undefined) return;
  // Whether the deployment still takes it is its own affair.
  engine.command(scope, trap.pending, { actor: 'person@test' }).catch(() => undefined);
}

async function obey(order: Order): Promise<void> {
  try {
    await carryOut(order);
    // Who is killed leaves nothing of what it has compiled to the next one.
    flushCompileCache();
    tell({ kind: 'done', commits });
  } catch (error) {
    const { code, message } = failureData(error);
    tell({ kind: 'refused', message: `${code}: ${message}` });
  }
}

async function carryOut(order: Order): Promise<void> {
  if (order.kind === 'command') {
    await engine.command(order.scope, order.command, { actor: 'person@test' });
    return;
  }
  commits = 0;
  trap = order.trap;
  scope = order.kind === 'deploy' ? order.spec.scope : order.scope;
  const [actor, reason] = ['person@test', 'the test asks for it'];
  if (order.kind === 'deploy') await engine.deploy({ spec: order.spec, label: order.label, actor });
  else if (order.kind === 'rollback') await engine.rollback({ scope, to: order.to, reason, actor });
  else await engine.remove({ scope, reason, actor });
  await over(scope);
  trap = undefined;
}

/** Resolves when the deployment has ended, the release that it kept warm for a moment has gone, and nobody holds the lock. */
async function over(scope: Scope): Promise<void> {
  for (;;) {
    const [state] = (await looking?.scopes(scope)) ?? [];
    if (state === undefined) throw new Error('the service is not known');
    if (state.active === undefined && state.lease === undefined && !isCooling(state.situation)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function tell(report: Report): void {
  process.send?.(report);
}
