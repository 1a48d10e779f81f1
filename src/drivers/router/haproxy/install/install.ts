// Gives HAProxy a configuration that only a reload brings into force.

import { Failure } from '../../../../base/failure.ts';
import { generationName } from '../config/layout.ts';
import { digestOf } from '../config/record.ts';
import type { RuntimeSession } from '../runtime/session.ts';
import { type Installation, reloadTo } from './change.ts';
import { type Part, ScopeFiles } from './files.ts';
import { runCommand } from './run-command.ts';

/** Rejects with `router.refused` and HAProxy's own words where it does not take the configuration; then everything is as it was. */
export async function install(installation: Installation, part: Part, session: RuntimeSession): Promise<void> {
  await checkConfiguration(installation, part);
  const { spec, scope, loader } = installation;
  const { layout, record } = part;
  const files = new ScopeFiles(spec.directory, scope);
  const former = await files.read();
  const [generation, digest] = [generationName(layout), digestOf(record.routes)];
  await reloadTo(installation, session, {
    make: () => files.write(part, loader.directory),
    takeBack: () => files.restore(former),
    isLoaded: (state) =>
      state?.generation === generation &&
      state.head?.digest === digest &&
      state.head.revision === record.routes.revision,
  });
}

/** Rejects with `router.refused` and HAProxy's own words. Changes nothing. `part`: the scope's; undefined: without it. */
export async function checkConfiguration(
  { spec, scope, loader, signal }: Installation,
  part: Part | undefined,
): Promise<void> {
  const { checkCommand, cwd } = loader;
  if (checkCommand === undefined) {
    throw new Failure(
      'router.setup',
      'Sluice cannot see how HAProxy was started, and so not check a configuration for it.',
      {
        at: 'router.haproxy.check',
        remedy: 'Write the command, such as check: [haproxy, -c, -f, /etc/haproxy/haproxy.cfg, -f, "{directory}"].',
      },
    );
  }
  const files = new ScopeFiles(spec.directory, scope);
  const ran = await files.rehearse(part, loader.directory, (directory) =>
    runCommand(checkCommand(directory), { cwd, signal }),
  );
  if (ran.ok) return;
  throw new Failure('router.refused', `HAProxy does not take its configuration: ${alerts(ran.words)}`, {
    at: 'router.haproxy',
    remedy: 'Nothing was changed. Correct what HAProxy names, then try again.',
  });
}

/** HAProxy says much on the way to what is wrong. */
function alerts(words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '');
  const wrong = lines.filter((line) => line.startsWith('[ALERT]'));
  return (wrong.length > 0 ? wrong : lines).join('\n') || 'it said nothing';
}
