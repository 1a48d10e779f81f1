// Gives an order to the deployment under way, and follows it where the order asks for that.

import type { Rollout } from '../core/rollout/rollout.ts';
import { scopeOf } from './configuration.ts';
import type { Command as Order } from './context.ts';
import { codeOf, exitOfReturn, exitOfStatus } from './exit.ts';
import { follow, staysWhileWaiting } from './follow.ts';
import { renderHeadline, renderReleases } from './render/deployment.ts';
import { commandsFor, renderCommands } from './render/next-commands.ts';
import { renderTraffic } from './render/traffic.ts';
import { type Session, withConnection } from './session.ts';

export interface OrderOptions {
  /** Whether to follow also where a server carries the deployment out. */
  readonly follow: boolean;
  /** Where this process is the controller: whether to leave it when it waits for a person. */
  readonly detach: boolean;
}

/** Resolves with the exit code. */
export async function giveOrder(session: Session, order: Order, options: OrderOptions): Promise<number> {
  const scope = await scopeOf(session);
  return withConnection(session, async (connection) => {
    const deployment = await connection.client.command(scope, order, { actor: session.context.actor() });
    // Without a server this process is the controller now: what it ordered would stand still when it left. Only a pause may.
    const mustFollow = connection.mode === 'local' && order.kind !== 'pause';
    if (!mustFollow && !options.follow) return report(session, deployment);
    const goesBack = order.kind === 'abort';
    return follow(session, connection, deployment, {
      responsible: true,
      stay: staysWhileWaiting(session, connection, options.detach),
      fromBeginning: false,
      exitOf: goesBack ? exitOfReturn : exitOfStatus,
    });
  });
}

/** What the order led to. That is what was wanted, so it is a success whatever the state. */
function report(session: Session, deployment: Rollout): number {
  const { out } = session;
  const look = out.look();
  if (session.options.json) out.json({ deployment });
  else {
    out.lines([
      ...renderHeadline(deployment, look),
      ...renderReleases(deployment, look),
      ...renderTraffic(deployment, look),
      '',
      ...renderCommands(commandsFor(deployment), deployment.plan.scope, look),
    ]);
  }
  return codeOf('done');
}
