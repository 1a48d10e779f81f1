// `sluice promote`: goes on to the next step, or to all traffic.

import type { Command } from 'commander';
import { giveOrder } from '../order.ts';
import { examples, type Perform } from '../program.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly full?: boolean;
  readonly follow?: boolean;
  readonly detach?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Goes on with the deployment under way: a canary to its next stage, a waiting switch to all traffic. Gates that have not
passed yet are passed over, and the record says who did it.`,
    )
    .option('--full', 'pass over all stages that are left: all traffic to the new release')
    .option('--follow', 'follow the deployment to its end')
    .option('--detach', 'without a server: return as soon as it waits for a person again')
    .addHelpText(
      'after',
      examples(
        ['sluice promote -e production', 'on to the next stage'],
        ['sluice promote --full --follow', 'all traffic now, and see how it goes'],
      ),
    )
    .action(perform(promote));
}

function promote(session: Session, { full, follow, detach }: Options): Promise<number> {
  return giveOrder(
    session,
    { kind: 'promote', full: full === true },
    { follow: follow === true, detach: detach === true },
  );
}
