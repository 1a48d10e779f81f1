// `sluice logs`: what the instances wrote.

import type { Command } from 'commander';
import { scopeOf } from '../configuration.ts';
import { codeOf } from '../exit.ts';
import { wholeNumber } from '../numbers.ts';
import { examples, type Perform } from '../program.ts';
import { renderLogLine } from '../render/log-line.ts';
import { type Session, withConnection } from '../session.ts';

interface Options {
  readonly follow?: boolean;
  readonly release?: string;
  readonly instance?: string;
  readonly last: string;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      'Prints the newest lines of each instance, of ended ones too. Ctrl-C ends following; the exit code is then 0.',
    )
    .option('-f, --follow', 'go on with new lines')
    .option('--release <release>', 'only instances of this release')
    .option('--instance <id>', 'only this instance')
    .option('-n, --last <number>', 'so many of the newest lines of each instance', '100')
    .addHelpText(
      'after',
      examples(
        ['sluice logs -e production --follow', 'all instances, as they write'],
        ['sluice logs --release shop@3f9c2a1b7d04 --last 500', 'what a release wrote before it was taken out'],
      ),
    )
    .action(perform(logs));
}

async function logs(session: Session, options: Options): Promise<number> {
  const lastLines = wholeNumber(options.last, '--last', 0, 1_000_000);
  const scope = await scopeOf(session);
  const { context, out } = session;
  const follow = options.follow === true;
  const request = { scope, release: options.release, instance: options.instance, lastLines, follow };
  return withConnection(session, async ({ client }) => {
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, context.stdoutGone]);
    const release = context.onSignal(() => ending.abort());
    try {
      for await (const line of client.logs(request, signal)) {
        if (session.options.json) out.json(line);
        else out.lines([renderLogLine(line, out.look())]);
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      release();
    }
    return codeOf('done');
  });
}
