// `sluice config`: checks the configuration, or shows what it comes to with all defaults.

import { dirname } from 'node:path';
import type { Command } from 'commander';
import { readConfig, specification } from '../configuration.ts';
import { codeOf } from '../exit.ts';
import { examples, type Perform } from '../program.ts';
import { clean } from '../render/text.ts';
import { counted } from '../render/units.ts';
import type { Session } from '../session.ts';

export function define(command: Command, perform: Perform): void {
  command.description('Checks the configuration, or shows what it comes to.');
  defineCheck(command.command('check').summary('check the whole file, all environments at once'), perform);
  command
    .command('show')
    .summary('what one environment comes to, with every default')
    .description(
      'Prints the specification that a deployment of the environment would be made from, as YAML, or JSON with --json.',
    )
    .addHelpText('after', examples(['sluice config show -e staging', 'every setting of staging, defaults included']))
    .action(perform(show));
}

export function defineCheck(command: Command, perform: Perform): void {
  command
    .description(
      'Checks the configuration file, all environments at once, and names every problem with its line and remedy.',
    )
    .addHelpText('after', examples(['sluice config check', 'sluice.yaml here or above']))
    .action(perform(check));
}

async function check(session: Session): Promise<number> {
  const { config, file } = await readConfig(session);
  const { resolveEnvironment } = await import('../../config/resolve.ts');
  const environments = Object.keys(config.environments);
  const { loadComposed } = await import('../../config/compose/load.ts');
  for (const environment of environments) {
    const composed = loadComposed(config, environment, dirname(file), session.context.environment);
    resolveEnvironment(config, environment, dirname(file), composed);
  }
  if (session.options.json) session.out.json({ valid: true, file, service: config.service, environments });
  else {
    const { paint, glyphs } = session.out.look();
    const names = environments.map(clean).join(', ');
    session.out.lines([
      `${paint.good(glyphs.passed)} ${clean(file)}`,
      `  service ${clean(config.service)}, ${counted(environments.length, 'environment')}: ${names}`,
    ]);
  }
  return codeOf('done');
}

async function show(session: Session): Promise<number> {
  const spec = await specification(session);
  if (session.options.json) session.out.json(spec);
  else {
    const { stringify } = await import('../../base/yaml.ts');
    session.out.lines(stringify(spec).trimEnd().split('\n').map(cleanLine));
  }
  return codeOf('done');
}

/** YAML is indented, which cleaning must keep. */
function cleanLine(line: string): string {
  const indent = /^ */.exec(line)?.[0] ?? '';
  return indent + clean(line.slice(indent.length));
}
