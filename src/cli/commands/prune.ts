// `sluice prune`: removes old releases and left-over instances.

import type { Command } from 'commander';
import { scopeFilter } from '../configuration.ts';
import { codeOf } from '../exit.ts';
import { confirm } from '../prompt.ts';
import { examples, type Perform } from '../program.ts';
import { renderPrune } from '../render/prune.ts';
import { type Session, withConnection } from '../session.ts';

interface Options {
  readonly dryRun?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Removes releases beyond the configured number and instances of dead deployments. Stable, the last known good release and
whatever runs are never removed. Without --env it covers everything that the store knows.`,
    )
    .option('--dry-run', 'print what would be removed and change nothing')
    .addHelpText(
      'after',
      examples(
        ['sluice prune --dry-run', 'what would go'],
        ['sluice prune --yes', 'remove it without asking, for a timer'],
      ),
    )
    .action(perform(prune));
}

async function prune(session: Session, options: Options): Promise<number> {
  const { service, environment } = await scopeFilter(session);
  const scope = service !== undefined && environment !== undefined ? { service, environment } : undefined;
  const { out, context } = session;
  return withConnection(session, async ({ client }) => {
    const request = { scope, actor: context.actor() };
    const show = (answer: Awaited<ReturnType<typeof client.prune>>): void => {
      if (session.options.json) out.json(answer);
      else out.lines(renderPrune(answer, out.look()));
    };
    if (options.dryRun === true) {
      show(await client.prune({ ...request, dryRun: true }));
      return codeOf('done');
    }
    if (!session.options.yes) {
      const preview = await client.prune({ ...request, dryRun: true });
      if (preview.releases.length === 0 && preview.instances.length === 0) {
        show({ ...preview, dryRun: false });
        return codeOf('done');
      }
      if (!session.options.json) show(preview);
      if (!(await confirm(session, 'Remove this'))) return codeOf('done');
    }
    show(await client.prune({ ...request, dryRun: false }));
    return codeOf('done');
  });
}
