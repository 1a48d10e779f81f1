// Runs one command line from beginning to end: parse, perform, tell what went wrong, and say with which code to exit.

import { type Command, CommanderError } from 'commander';
import { exitCodes } from '../base/failure-catalogue.ts';
import { Failure, failureData } from '../base/failure.ts';
import type { CliContext } from './context.ts';
import { codeOf, exitOfFailure } from './exit.ts';
import { flagsAtHand, type GlobalFlags, globalOptions } from './globals.ts';
import { createOutput } from './output.ts';
import { commandEntries, createProgram, type Perform } from './program.ts';
import { createSession } from './session.ts';

/** Never rejects; resolves with the exit code. */
export async function run(context: CliContext): Promise<number> {
  try {
    return await dispatch(context);
  } catch (thrown) {
    // Help was asked for, or is the answer to a group of commands without one of them.
    if (thrown instanceof CommanderError && thrown.code.startsWith('commander.help')) return exitCodes.done.code;
    const problem = thrown instanceof CommanderError ? usageFailure(thrown, context.argv) : thrown;
    const failure = failureData(problem);
    const options = globalOptions(flagsAtHand(context.argv), context);
    createOutput(context, options).failure(failure, problem instanceof Error ? problem.stack : undefined);
    return codeOf(exitOfFailure(failure));
  }
}

async function dispatch(context: CliContext): Promise<number> {
  let exitCode: number = exitCodes.done.code;
  const perform: Perform =
    (run) =>
    async (...given) => {
      // Commander passes the operands, then the options, then the command.
      const [options, command] = given.slice(-2) as [Parameters<typeof run>[1], Command];
      const operands = given.slice(0, -2) as (string | undefined)[];
      const session = createSession(context, globalOptions(command.optsWithGlobals<GlobalFlags>(), context));
      exitCode = await run(session, options, operands);
    };
  const program = createProgram(perform);
  const write = (text: string): void => void context.stdout.write(text);
  const width = (): number => Math.min(100, context.stdout.columns ?? 80);
  program.configureOutput({
    writeOut: write,
    // Only help is written by commander itself; what is wrong is told by `run`, in the form of every other failure.
    writeErr: write,
    outputError() {},
    getOutHelpWidth: width,
    getErrHelpWidth: width,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  for (const command of program.commands) command.copyInheritedSettings(program);
  const argv = helpAsFlag(context.argv);
  if (argv.length === 0) program.outputHelp();
  else if (asksVersion(argv)) context.stdout.write(`${await context.version()}\n`);
  else await program.parseAsync(argv, { from: 'user' });
  return exitCode;
}

/** `sluice help deploy` is `sluice deploy --help`. */
function helpAsFlag(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
}

function asksVersion(argv: readonly string[]): boolean {
  return argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V');
}

/** Commander's words, without its prefix; what it suggests becomes the remedy. */
function usageFailure(error: CommanderError, argv: readonly string[]): Failure {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const help = helpLine(argv);
  const meant = suggestion?.replace(/^\((.*)\)$/, '$1');
  return new Failure('usage', message, {
    remedy: meant === undefined ? `See \`${help}\`.` : `${meant} See \`${help}\`.`,
  });
}

function helpLine(argv: readonly string[]): string {
  const [first] = argv;
  return commandEntries.some(({ name }) => name === first) ? `sluice ${first} --help` : 'sluice --help';
}
