// Global options: what every command understands, from flags and environment variables.

import type { Scope } from '../core/scope.ts';
import type { CliContext } from './context.ts';

export interface GlobalOptions {
  readonly config?: string | undefined;
  readonly env?: string | undefined;
  readonly service?: string | undefined;
  readonly home?: string | undefined;
  readonly server?: string | undefined;
  readonly token?: string | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly colour: boolean;
  readonly yes: boolean;
  /** What this call was told by flag, and another one has to be told as well to mean the same. */
  readonly repeated: Pick<GlobalFlags, 'config' | 'service' | 'env' | 'home' | 'server'>;
}

/** What commander makes of the flags. */
export interface GlobalFlags {
  readonly config?: string;
  readonly env?: string;
  readonly service?: string;
  readonly home?: string;
  readonly server?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
  readonly yes?: boolean;
}

/** A flag wins over its environment variable; an empty variable counts as none. */
export function globalOptions(flags: GlobalFlags, context: CliContext): GlobalOptions {
  const variable = (name: string): string | undefined => context.environment[name] || undefined;
  return {
    config: flags.config,
    env: flags.env,
    service: flags.service,
    home: flags.home ?? variable('SLUICE_HOME'),
    server: flags.server ?? variable('SLUICE_SERVER'),
    token: variable('SLUICE_TOKEN'),
    json: flags.json === true,
    verbose: flags.verbose === true,
    colour: flags.color !== false && variable('NO_COLOR') === undefined && variable('TERM') !== 'dumb',
    yes: flags.yes === true,
    repeated: flags,
  };
}

/** Reads the flags that decide how a wrong command line is told; used before, or instead of, parsing it. */
export function flagsAtHand(argv: readonly string[]): GlobalFlags {
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  return {
    json: flags.includes('--json'),
    verbose: flags.includes('--verbose'),
    color: !flags.includes('--no-color'),
  };
}

/**
 * The exact command line for a command in a scope: with the options that this call was given, so that it reaches the same
 * controller and the same configuration.
 */
export function commandLine(words: string, { repeated }: Pick<GlobalOptions, 'repeated'>, scope?: Scope): string {
  const parts = ['sluice', words];
  const give = (flag: string, value: string | undefined): void => {
    if (value !== undefined) parts.push(flag, quoted(value));
  };
  give('--config', repeated.config);
  if (repeated.service !== undefined) give('--service', scope?.service ?? repeated.service);
  give('-e', scope?.environment ?? repeated.env);
  give('--home', repeated.home);
  give('--server', repeated.server);
  return parts.join(' ');
}

/** As a shell must be given it to read exactly this text. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
