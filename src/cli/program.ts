// The program: every command with its group and summary; what a command takes and does is loaded only when it is called.

import { Command } from 'commander';
import { formatHelp } from './help.ts';
import type { Session } from './session.ts';

/** What a command does; resolves with the exit code. */
export type Run<Options> = (
  session: Session,
  options: Options,
  operands: readonly (string | undefined)[],
) => Promise<number>;

/** Makes the function that commander calls. */
export type Perform = <Options>(run: Run<Options>) => (...given: unknown[]) => Promise<void>;

export interface CommandModule {
  /** Adds description, options, examples and action. */
  define(command: Command, perform: Perform): void;
}

export interface CommandEntry {
  readonly name: string;
  readonly group: string;
  readonly summary: string;
  readonly hidden?: boolean;
  load(): Promise<CommandModule>;
}

const groups = {
  begin: 'Begin:',
  release: 'Release:',
  steer: 'While a deployment is under way:',
  look: 'Look:',
  gates: 'Try a gate:',
  keep: 'Run and keep:',
};

/** In the order in which help shows them. */
export const commandEntries: readonly CommandEntry[] = [
  {
    name: 'init',
    group: groups.begin,
    summary: 'write a commented sluice.yaml',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'config',
    group: groups.begin,
    summary: 'check the configuration, or show what it comes to',
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'demo',
    group: groups.begin,
    summary: 'see Sluice deploy, judge and go back on this machine',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'plan',
    group: groups.release,
    summary: 'show every step that a deployment would take',
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'confidence',
    group: groups.release,
    summary: 'how sure one may be of the release, and why',
    load: () => import('./commands/confidence.ts'),
  },
  {
    name: 'deploy',
    group: groups.release,
    summary: 'put a new release in front of users, and follow it',
    load: () => import('./commands/deploy.ts'),
  },
  {
    name: 'rollback',
    group: groups.release,
    summary: 'send all traffic back to an earlier release',
    load: () => import('./commands/rollback.ts'),
  },
  {
    name: 'adopt',
    group: groups.begin,
    summary: 'take over what Compose runs, without a restart',
    load: () => import('./commands/adopt.ts'),
  },
  {
    name: 'validate',
    group: groups.release,
    summary: 'run the validation checks now',
    load: () => import('./commands/validate.ts'),
  },
  {
    name: 'promote',
    group: groups.steer,
    summary: 'go on to the next step, or to all traffic',
    load: () => import('./commands/promote.ts'),
  },
  {
    name: 'pause',
    group: groups.steer,
    summary: 'stay at the present share',
    load: () => import('./commands/pause.ts'),
  },
  {
    name: 'resume',
    group: groups.steer,
    summary: 'go on after a pause',
    load: () => import('./commands/resume.ts'),
  },
  {
    name: 'abort',
    group: groups.steer,
    summary: 'send all traffic back to stable at once',
    load: () => import('./commands/abort.ts'),
  },
  {
    name: 'status',
    group: groups.look,
    summary: 'what is happening, why, and what you can do',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'history',
    group: groups.look,
    summary: 'earlier deployments, and every record of one',
    load: () => import('./commands/history.ts'),
  },
  {
    name: 'logs',
    group: groups.look,
    summary: 'what the instances wrote',
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'judge',
    group: groups.gates,
    summary: 'replay a recorded log: would the release have been aborted, and when',
    load: () => import('./commands/judge.ts'),
  },
  {
    name: 'gate',
    group: groups.gates,
    summary: 'what a gate takes at given traffic, and what a setting costs',
    load: () => import('./commands/gate.ts'),
  },
  {
    name: 'server',
    group: groups.keep,
    summary: 'run the controller that carries deployments out',
    load: () => import('./commands/server.ts'),
  },
  {
    name: 'prune',
    group: groups.keep,
    summary: 'remove old releases and left-over instances',
    load: () => import('./commands/prune.ts'),
  },
  {
    name: 'remove',
    group: groups.keep,
    summary: 'take a service away, with its instances and what listens for it',
    load: () => import('./commands/remove.ts'),
  },
  {
    name: 'validate-config',
    group: groups.begin,
    summary: 'the same as `config check`',
    hidden: true,
    load: async () => ({ define: (await import('./commands/config.ts')).defineCheck }),
  },
];

/** The program with its global options and the names of all commands. */
export function createProgram(perform: Perform): Command {
  const program = new Command('sluice')
    .description(
      'Puts a new release in front of users a little at a time, judges from what really happens, and goes back by itself.',
    )
    .usage('[options] COMMAND')
    .helpCommand(false)
    .exitOverride()
    .configureHelp({ formatHelp, subcommandTerm: (command) => command.name() });
  addGlobalOptions(program);
  for (const { name, group, summary, hidden } of commandEntries) {
    program
      .command(name, { hidden: hidden === true })
      .summary(summary)
      .helpGroup(group);
  }
  program.addHelpText('after', '\n`sluice COMMAND --help` tells more about a command and shows examples.');
  program.hook('preSubcommand', async (_program, command) => {
    const entry = commandEntries.find(({ name }) => name === command.name());
    if (entry !== undefined) await defineCommand(entry, command, perform);
  });
  return program;
}

/** Adds what a command takes and does. */
export async function defineCommand(entry: CommandEntry, command: Command, perform: Perform): Promise<void> {
  command.helpCommand(false).helpOption('-h, --help', 'print help');
  (await entry.load()).define(command, perform);
}

function addGlobalOptions(program: Command): void {
  program
    .optionsGroup('Global options:')
    .option('--config <file>', 'configuration file; else sluice.yaml here or above')
    .option('-e, --env <name>', 'environment; may be left out where there is only one')
    .option('--service <name>', 'service, where no configuration file is at hand')
    .option('--home <directory>', 'where Sluice keeps its state (SLUICE_HOME)')
    .option('--server <address>', 'ask this server (SLUICE_SERVER; its token is in SLUICE_TOKEN)')
    .option('--json', 'print JSON: one object, or one per line while something goes on')
    .option('--verbose', 'print more, stack traces of errors included')
    .option('--no-color', 'print without colours (NO_COLOR)')
    .option('--yes', 'answer yes to what would be asked')
    .option('-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help');
}

/** Examples under a command's help: each a command line and what it does. */
export function examples(...lines: readonly (readonly [command: string, what: string])[]): string {
  const all = lines.map(([command, what]) => `  ${command}\n      ${what}`);
  return `\nExamples:\n${all.join('\n')}\n\nGlobal options such as --env, --json and --server are listed by \`sluice --help\`.`;
}
