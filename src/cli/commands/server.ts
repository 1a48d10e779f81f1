// `sluice server`: runs the controller that carries deployments out.

import type { Command } from 'commander';
import { codeOf } from '../exit.ts';
import { examples, type Perform } from '../program.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly listen?: string;
  readonly socket?: string;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Runs until it is told to end (SIGTERM, Ctrl-C). Traffic does not pass through it: the service goes on without it, and
deployments that are under way are taken up by the next one. Listens on loopback and on a unix socket; any other address
needs a token in SLUICE_TOKEN.`,
    )
    .option('--listen <address>', 'host:port for HTTP')
    .option('--socket <path>', 'path of the unix socket')
    .addHelpText(
      'after',
      examples(
        ['sluice server', 'on loopback and the default socket'],
        ['SLUICE_TOKEN=… sluice server --listen 10.0.0.5:7433', 'for others in the network'],
      ),
    )
    .action(perform(server));
}

async function server(session: Session, options: Options): Promise<number> {
  const { context, out } = session;
  const { home, token, verbose, json } = session.options;
  const handle = await context.startServer({ home, token, verbose, listen: options.listen, socket: options.socket });
  let closing: Promise<void> | undefined;
  const release = context.onSignal((signal) => {
    if (closing !== undefined) return context.exit(codeOf('done'));
    if (!json) out.note(`Ending on ${signal}; deployments under way are left for the next controller.`);
    closing = handle.close();
  });
  try {
    if (json) out.json({ kind: 'listening', addresses: handle.addresses });
    else {
      out.lines([
        'Sluice serves at',
        ...handle.addresses.map((address) => `  ${address}`),
        out.look().paint.dim('Ctrl-C ends it; instances and traffic stay as they are.'),
      ]);
    }
    await handle.ended;
    await closing;
    return codeOf('done');
  } finally {
    release();
  }
}
