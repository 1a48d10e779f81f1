// `sluice abort`: ends the deployment under way and sends all traffic back to stable at once.

import type { Command } from 'commander';
import { giveOrder } from '../order.ts';
import { examples, type Perform } from '../program.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly reason?: string;
  readonly detach?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Sends all traffic back to the stable release before anything else, then takes the new release away, and follows that to its
end. Exit code 0 means that all traffic is on stable.`,
    )
    .option('--reason <text>', 'why, for the record')
    .option('--detach', 'with a server: return as soon as it is on its way back')
    .addHelpText('after', examples(['sluice abort -e production --reason "checkout fails"', 'back to stable at once']))
    .action(perform(abort));
}

function abort(session: Session, { reason, detach }: Options): Promise<number> {
  const order = { kind: 'abort', reason: reason ?? 'a person aborted it' } as const;
  return giveOrder(session, order, { follow: detach !== true, detach: detach === true });
}
