// `sluice resume`: goes on after a pause.

import type { Command } from 'commander';
import { giveOrder } from '../order.ts';
import { examples, type Perform } from '../program.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly follow?: boolean;
  readonly detach?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description('Goes on with a paused deployment where it stopped; the gates of its step still have to pass.')
    .option('--follow', 'follow the deployment to its end')
    .option('--detach', 'without a server: return as soon as it waits for a person again')
    .addHelpText('after', examples(['sluice resume -e production --follow', 'go on, and see how it goes']))
    .action(perform(resume));
}

function resume(session: Session, { follow, detach }: Options): Promise<number> {
  return giveOrder(session, { kind: 'resume' }, { follow: follow === true, detach: detach === true });
}
