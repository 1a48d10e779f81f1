// `sluice pause`: keeps the deployment at its present share.

import type { Command } from 'commander';
import { giveOrder } from '../order.ts';
import { examples, type Perform } from '../program.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly reason?: string;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Keeps the deployment where it is until \`sluice resume\`. Gates go on judging meanwhile: one that fails still takes the release
out, as long as a controller is at work.`,
    )
    .option('--reason <text>', 'why, for the record')
    .addHelpText('after', examples(['sluice pause --reason "look at the slow query first"', 'stay at this share']))
    .action(perform(pause));
}

function pause(session: Session, { reason }: Options): Promise<number> {
  const order = { kind: 'pause', reason: reason ?? 'a person paused it' } as const;
  return giveOrder(session, order, { follow: false, detach: false });
}
