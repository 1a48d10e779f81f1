// Runs a program that writes one number, with few variables, for a limited time, and reads at most so much of what it writes.

import {
  countsNothing,
  type MetricOutcome,
  type MetricQuestion,
  noNumber,
  numberOutcome,
} from '../../../core/metrics/question.ts';
import { fill } from '../../../core/metrics/placeholders.ts';
import type { CommandSource } from '../../../core/metrics/source.ts';
import { lastWords, seenText } from '../../../core/validation/reason.ts';
import { readSecret } from '../../../base/secret-reference.ts';
import type { Metrics } from '../../../ports/metrics.ts';
import { runProgram } from './run-program.ts';

export interface CommandMetricsOptions {
  readonly source: CommandSource;
  /** Of the controller: a few are passed on, and `fromEnvironment` is looked up here. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** What a program needs to find its own programs, home and language; nothing else of the controller's reaches it. */
const inherited = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'] as const;

export function createCommandMetrics({ source, variables }: CommandMetricsOptions): Metrics {
  return {
    count: async () => countsNothing,
    read: async (question, signal) => {
      signal.throwIfAborted();
      const given = await environmentOf(source, variables, question);
      if ('problem' in given) return noNumber('misconfigured', given.problem);
      const { command, workingDirectory, withinMs } = source;
      const limit = AbortSignal.timeout(withinMs);
      const ended = await runProgram(
        { command, workingDirectory, environment: given.environment },
        AbortSignal.any([signal, limit]),
      );
      signal.throwIfAborted();
      switch (ended.kind) {
        case 'not-started':
          return noNumber('unreachable', ended.words);
        case 'stopped':
          return noNumber('timed-out', `it did not end within ${withinMs / 1000} s, and was ended`);
        case 'too-much':
          return noNumber('too-large', 'it wrote more than 4 KiB');
        case 'ended':
          return ended.how === 'exit code 0'
            ? numberIn(ended.output, given.secrets)
            : noNumber('failed', `${ended.how}${saidText(ended.errors, given.secrets)}`);
      }
    },
  };
}

function saidText(errors: string, secrets: readonly string[]): string {
  const words = lastWords(errors, 300);
  return words === '' ? '' : `: ${seenText(words, secrets, 300)}`;
}

const oneNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function numberIn(output: string, secrets: readonly string[]): MetricOutcome {
  const text = output.trim();
  if (text === '') return noNumber('empty', 'it wrote nothing');
  if (/^(?:NaN|[+-]?Inf(?:inity)?)$/i.test(text)) return noNumber('not-finite', `it wrote ${text}`);
  if (oneNumber.test(text)) return numberOutcome(Number(text));
  const words = text.split(/\s+/);
  return words.length > 1 && words.every((word) => oneNumber.test(word))
    ? noNumber('several', `it wrote ${words.length} numbers`)
    : noNumber('not-a-number', `it wrote ${seenText(text, secrets)}`);
}

async function environmentOf(
  source: CommandSource,
  variables: CommandMetricsOptions['variables'],
  { query, values }: MetricQuestion,
): Promise<
  | { readonly environment: Readonly<Record<string, string>>; readonly secrets: readonly string[] }
  | { readonly problem: string }
> {
  const environment: Record<string, string> = {};
  const secrets: string[] = [];
  for (const name of inherited) if (variables[name] !== undefined) environment[name] = variables[name];
  for (const [name, value] of Object.entries(source.environment)) {
    const read = typeof value === 'string' ? { value } : await readSecret(value, variables);
    if ('problem' in read) return read;
    if (typeof value !== 'string') secrets.push(read.value);
    environment[name] = read.value;
  }
  Object.assign(environment, {
    SLUICE_SERVICE: values.service,
    SLUICE_ENVIRONMENT: values.environment,
    SLUICE_RELEASE: values.release,
    SLUICE_WINDOW_SECONDS: String(values.windowSeconds),
    SLUICE_QUERY: fill(query, values, (value) => value),
  });
  return { environment, secrets };
}
