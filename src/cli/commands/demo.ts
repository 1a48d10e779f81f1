// `sluice demo`: shows Sluice at work on this machine.

import type { Command } from 'commander';
import { examples, type Perform } from '../program.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly keep?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Starts a server, a proxy, a small service and a steady load in a directory of its own; deploys, breaks and saves the service
before your eyes; prints what it cost the users; and cleans up.`,
    )
    .option('--keep', 'leave everything running at the end, to look around')
    .addHelpText(
      'after',
      examples(
        ['sluice demo', 'takes about a minute'],
        ['sluice demo --keep', 'and stays up until Ctrl-C'],
        ['sluice demo --json', 'print only the figures, as one JSON object'],
      ),
    )
    .action(perform(demo));
}

function demo({ context, options, out }: Session, { keep }: Options): Promise<number> {
  const { json, colour } = options;
  return context.demo({
    keep: keep === true,
    json,
    colour,
    look: () => out.look(),
    print: (lines) => out.lines(lines),
    printJson: (value) => out.json(value),
    outputGone: context.stdoutGone,
  });
}
