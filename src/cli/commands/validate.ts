// `sluice validate`: runs the validation checks now.

import type { Command } from 'commander';
import { specification } from '../configuration.ts';
import { codeOf, codeOfSignal } from '../exit.ts';
import type { SignalName } from '../context.ts';
import { examples, type Perform } from '../program.ts';
import { checksSummary, renderChecks } from '../render/checks.ts';
import { type Session, withConnection } from '../session.ts';

interface Options {
  readonly preview?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Runs the configured validation checks against the service as its users reach it, or against the release on trial.
Exit code 1 means that a check failed; nothing is changed by that.`,
    )
    .option('--preview', 'ask the release on trial at its instances instead')
    .addHelpText(
      'after',
      examples(
        ['sluice validate -e production', 'is the service well?'],
        ['sluice validate --preview', 'is the new release well?'],
      ),
    )
    .action(perform(validate));
}

async function validate(session: Session, options: Options): Promise<number> {
  const spec = await specification(session);
  const { context, out } = session;
  const through = options.preview === true ? 'preview' : 'service';
  return withConnection(session, async ({ client }) => {
    const ending = new AbortController();
    let ended: SignalName | undefined;
    const release = context.onSignal((signal) => {
      ended = signal;
      ending.abort();
    });
    try {
      const checks = await client.validate({ spec, through }, ending.signal);
      const passed = checks.every((check) => check.passed);
      if (session.options.json) out.json({ passed, checks });
      else out.lines([...renderChecks(checks, out.look()), checksSummary(checks, out.look())]);
      return codeOf(passed ? 'done' : 'wentBack');
    } catch (thrown) {
      if (ended === undefined) throw thrown;
      return codeOfSignal(ended);
    } finally {
      release();
    }
  });
}
