// `sluice init`: writes a commented configuration from a few answers.

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Failure } from '../../base/failure.ts';
import type { TemplateAnswers } from '../../config/template.ts';
import { codeOf } from '../exit.ts';
import { commandLine } from '../globals.ts';
import { fallbackAnswers } from '../init-fallbacks.ts';
import { writeNewFile } from '../new-file.ts';
import { ask, choose, type Question } from '../prompt.ts';
import { examples, type Perform } from '../program.ts';
import { clean } from '../render/text.ts';
import { isAttended, type Session } from '../session.ts';

interface Options {
  readonly directory?: string;
  readonly command?: string;
  readonly listen?: string;
  readonly health?: string;
  readonly strategy?: string;
  readonly force?: boolean;
}

const strategies = ['canary', 'blue-green', 'rolling'] as const;

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Asks what it needs to know and writes sluice.yaml (or the file of --config), with a comment on every setting. Answers given
as options are not asked for; --yes takes what would be proposed. It never overwrites a file without --force.`,
    )
    .option('--directory <path>', 'directory of the built release')
    .option('--command <line>', 'how an instance is started, such as "node server.js"')
    .option('--listen <address>', 'port, or host:port, that users reach')
    .option(
      '--health <path>',
      'HTTP path that answers 2xx when an instance can serve; `tcp`: its port accepts connections',
    )
    .option('--strategy <name>', strategies.join(', '))
    .option('--force', 'overwrite an existing file')
    .addHelpText(
      'after',
      examples(
        ['sluice init', 'answer the questions'],
        ['sluice init --service shop --directory dist --command "node server.js" --yes', 'take the rest as proposed'],
      ),
    )
    .action(perform(init));
}

async function init(session: Session, options: Options): Promise<number> {
  const { context, out } = session;
  const file = resolve(context.cwd, session.options.config ?? 'sluice.yaml');
  const { existsSync } = await import('node:fs');
  if (options.force !== true && existsSync(file)) throw alreadyThere(file);
  const answers = await answersOf(session, options);
  const { renderTemplate } = await import('../../config/template.ts');
  const { parseConfig } = await import('../../config/parse.ts');
  const text = renderTemplate(answers);
  parseConfig(text, file);
  if (!(await writeNewFile(file, text, options.force === true))) throw alreadyThere(file);
  if (session.options.json) out.json({ file, ...answers });
  else {
    const { paint, glyphs } = out.look();
    const { config, home } = session.options.repeated;
    const line = (words: string): string =>
      commandLine(words, { repeated: { ...(config && { config }), ...(home && { home }) } });
    out.lines([
      `${paint.good(glyphs.passed)} ${clean(file)}`,
      '',
      '  Look through it, then see what a deployment would do, and deploy:',
      `    ${line('plan')}`,
      `    ${line('deploy')}`,
    ]);
  }
  return codeOf('done');
}

interface Wanted extends Question {
  readonly given: string | undefined;
  readonly fallback: string;
}

async function answersOf(session: Session, options: Options): Promise<TemplateAnswers> {
  const proposed = await fallbackAnswers(session.context.cwd);
  const wanted = {
    service: {
      text: 'Name of the service',
      flag: '--service',
      given: session.options.service,
      fallback: proposed.service,
    },
    directory: {
      text: 'Directory of the built release',
      flag: '--directory',
      given: options.directory,
      fallback: proposed.directory,
    },
    command: {
      text: 'Start command of an instance',
      flag: '--command',
      given: options.command,
      fallback: proposed.command,
    },
    listen: { text: 'Port that users reach', flag: '--listen', given: options.listen, fallback: '8080' },
    health: { text: 'Health path (or tcp)', flag: '--health', given: options.health, fallback: '/health' },
    strategy: { text: 'Strategy', flag: '--strategy', given: options.strategy, fallback: 'canary' },
  } satisfies Record<string, Wanted>;
  refuseMissing(session, Object.values(wanted));
  const answer = async (question: Wanted): Promise<string> => question.given ?? (await asked(session, question));
  const service = await answer(wanted.service);
  const directory = await answer(wanted.directory);
  const command = await answer(wanted.command);
  const listen = await answer(wanted.listen);
  const health = await answer(wanted.health);
  const strategy = strategyNamed(await answer(wanted.strategy));
  return { service, directory, command, listen, strategy, ...(health === 'tcp' ? {} : { healthPath: health }) };
}

function asked(session: Session, question: Wanted): Promise<string> {
  if (session.options.yes) return Promise.resolve(question.fallback);
  return question.flag === '--strategy' ? choose(session, question, strategies) : ask(session, question);
}

/** Names everything that is missing at once, instead of one thing with each attempt. */
function refuseMissing(session: Session, wanted: readonly Wanted[]): void {
  const missing = wanted.filter(({ given }) => given === undefined).map(({ flag }) => flag);
  if (missing.length === 0 || session.options.yes || isAttended(session)) return;
  const why = session.options.json ? 'with --json nothing is asked' : 'there is no terminal to ask at';
  throw new Failure('prompt.unavailable', `answers are missing, and ${why}`, {
    at: missing.join(', '),
    remedy: `Give ${missing.map((flag) => `\`${flag}\``).join(', ')}, or \`--yes\` to take what would be proposed.`,
  });
}

function strategyNamed(name: string): TemplateAnswers['strategy'] {
  const found = strategies.find((strategy) => strategy === name);
  if (found !== undefined) return found;
  throw new Failure('usage', `${JSON.stringify(name)} is no strategy`, {
    at: '--strategy',
    remedy: `Choose one of ${strategies.join(', ')}.`,
  });
}

function alreadyThere(file: string): Failure {
  return new Failure('usage', `${file} exists already`, {
    at: file,
    remedy: 'Keep it, or write it anew with `--force`; its present contents are then lost.',
  });
}
