// `sluice judge`: replays a recorded log through a gate and says what would have happened, and when.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Failure } from '../../base/failure.ts';
import { createAccessLogParser, createHaproxyParser } from '../../core/gate/replay/access-log.ts';
import { createTraceParser } from '../../core/gate/replay/canary-trace.ts';
import { createCsvParser } from '../../core/gate/replay/csv.ts';
import { detectFormat, logFormats, type LogFormat } from '../../core/gate/replay/detect.ts';
import { checksOf } from '../../core/gate/replay/checks.ts';
import { createJsonParser } from '../../core/gate/replay/json-lines.ts';
import { svgPlot } from '../../core/gate/replay/plot.ts';
import type { LineParser } from '../../core/gate/replay/record.ts';
import { patternOf, type ReleasePatterns } from '../../core/gate/replay/release-of.ts';
import { createReplay, type Replay, type ReplayResult } from '../../core/gate/replay/replay.ts';
import { codeOf } from '../exit.ts';
import { addGateOptions, chosenGate, type GateOptions, shareOf } from '../gate-settings.ts';
import { readLog } from '../log-lines.ts';
import { writeNewFile } from '../new-file.ts';
import { examples, type Perform } from '../program.ts';
import { renderReplay } from '../render/replay.ts';
import type { Session } from '../session.ts';
import { withinTime } from '../within-time.ts';

interface Options extends GateOptions {
  readonly format?: string;
  readonly candidate?: string;
  readonly stable?: string;
  readonly releaseField?: string;
  readonly share?: string;
  readonly whole?: boolean;
  readonly evidence?: boolean;
  readonly svg?: string;
  readonly force?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Replays a recorded log through a gate, second by second, and says what would have happened and when: abort, promote or
inconclusive. Requests of stable before the candidate's first one are its history. Lines that cannot be read are counted and the
first ones named. A log may have any length.

Exits with 0 for promote, 1 for abort and 3 for inconclusive.`,
    )
    .argument('[log]', 'file; `-` or nothing: standard input')
    .option('--format <name>', `${logFormats.join(', ')}; else told from the first lines`)
    .option('--candidate <text>', 'what lines of the candidate have: text, or a regular expression as /…/')
    .option('--stable <text>', 'the same for stable; else all other lines')
    .option(
      '--release-field <name>',
      'where to look: `name` of name=value, a column of CSV, a name of JSON, `backend` or `server` of HAProxy, or the number of a word (-1: the last)',
    )
    .option(
      '--share <percentage>',
      'the candidate’s configured share; else that of a trace, or the margins of the last stage',
    )
    .option('--whole', 'judge on after the candidate could have been promoted, to the end of the log')
    .option('--evidence', 'with --json: the wealth over time and the evidence of each check')
    .option('--svg <file>', 'write the plot there as a picture')
    .option('--force', 'overwrite the picture')
    .optionsGroup('The gate (else the settings of a trace, or the preset `default`):');
  addGateOptions(command)
    .addHelpText(
      'after',
      examples(
        ['sluice judge trace.jsonl', 'a trace in the format canary-trace/1'],
        [
          'zcat access.log.1.gz | sluice judge --candidate 10.0.0.7:8080 --share 10%',
          'an NGINX log with $upstream_addr in its lines, from standard input',
        ],
        [
          'sluice judge haproxy.log --release-field server --candidate green --preset strict --svg incident.svg',
          'another gate, and a picture of it',
        ],
      ),
    )
    .action(perform(judge));
}

async function judge(session: Session, options: Options, [log]: readonly (string | undefined)[]): Promise<number> {
  const { context, out } = session;
  const picture = options.svg === undefined ? undefined : resolve(context.cwd, options.svg);
  if (picture !== undefined && options.force !== true && existsSync(picture)) throw pictureThere(picture);
  const file = log === undefined || log === '-' ? undefined : resolve(context.cwd, log);
  if (log === undefined && context.stdin.isTTY === true) {
    throw new Failure('usage', 'no log was named', {
      at: 'log',
      remedy: 'Name a file, or hand a log to standard input: `zcat access.log.1.gz | sluice judge …`.',
    });
  }
  const result = await replayLog(session, options, file);
  if (
    picture !== undefined &&
    !(await writeNewFile(picture, svgPlot(plotOf(result), titleOf(log)), options.force === true))
  )
    throw pictureThere(picture);
  if (session.options.json) out.json(jsonOf(result, options.evidence === true));
  else out.lines(renderReplay(result, out.look(), picture));
  return codeOf(({ promote: 'done', abort: 'wentBack', inconclusive: 'waiting' } as const)[result.verdict.verdict]);
}

/** A piece of some 500 lines that takes longer holds a line on which a pattern does not come to an end. */
const mostMsPerPiece = 5000;

/** So many lines tell the format of a log. */
const firstLines = 100;

async function replayLog(session: Session, options: Options, file: string | undefined): Promise<ReplayResult> {
  const settings = { gate: await chosenGate(session, options), whole: options.whole === true, ...shareIn(options) };
  formatNamed(options.format);
  let replay: Replay | undefined;
  let waiting: string[] = [];
  const take = (lines: readonly string[], parser: () => LineParser): void => {
    replay ??= createReplay({ ...settings, parser: parser() });
    const { addLine } = replay;
    if (!withinTime(mostMsPerPiece, () => lines.forEach(addLine))) throw tooSlow(options);
  };
  for await (const lines of readLog(file, session.context.stdin)) {
    waiting.push(...lines);
    // the first lines come together, because they tell the format
    if (replay === undefined && waiting.length < firstLines) continue;
    take(waiting, () => parserFor(options, waiting));
    waiting = [];
  }
  take(waiting, () => (waiting.some((line) => line.trim() !== '') ? parserFor(options, waiting) : createTraceParser()));
  return (replay ?? createReplay({ ...settings, parser: createTraceParser() })).finish();
}

const shareIn = ({ share }: Options): { readonly share?: number } =>
  share === undefined ? {} : { share: shareOf(share, '--share') };

function parserFor(options: Options, lines: readonly string[]): LineParser {
  const format = formatNamed(options.format) ?? detected(lines, options.releaseField);
  const releases = patternsOf(options, format);
  switch (format) {
    case 'trace':
      if (releases !== undefined || options.releaseField !== undefined) throw tracesTell();
      return createTraceParser();
    case 'csv':
      return createCsvParser(releases, options.releaseField);
    case 'json':
      return createJsonParser(releases, options.releaseField);
    case 'haproxy':
      return createHaproxyParser(releases ?? notTold());
    case 'nginx':
    case 'combined':
    case 'common':
      return createAccessLogParser(releases ?? notTold());
  }
}

function patternsOf(options: Options, format: LogFormat): ReleasePatterns | undefined {
  const { candidate, stable, releaseField: field } = options;
  if (candidate === undefined) {
    if (stable !== undefined) throw notToldFailure();
    return undefined;
  }
  const exact = field !== undefined || format === 'csv' || format === 'json';
  return {
    candidate: pattern(candidate, '--candidate', exact),
    ...(stable !== undefined && { stable: pattern(stable, '--stable', exact) }),
    field,
  };
}

function pattern(given: string, flag: string, exact: boolean): RegExp {
  const found = given === '' || given.length > 1000 ? undefined : patternOf(given, exact);
  if (found !== undefined) return found;
  throw new Failure('usage', `${JSON.stringify(given.slice(0, 100))} is neither text nor a regular expression`, {
    at: flag,
    remedy: `Give text as it stands in the lines, or an expression: \`${flag} '/backend=v2\\b/'\`.`,
  });
}

function detected(lines: readonly string[], field: string | undefined): LogFormat {
  const format = detectFormat(lines, field);
  if (format !== undefined) return format;
  throw new Failure('usage', 'the first lines tell no format', {
    at: '--format',
    remedy: `Give one of ${logFormats.join(', ')}; CSV needs a first line with the titles time, release (or that of --release-field), status and ms.`,
  });
}

function formatNamed(name: string | undefined): LogFormat | undefined {
  const found = logFormats.find((format) => format === name);
  if (found !== undefined || name === undefined) return found;
  throw new Failure('usage', `${JSON.stringify(name)} is no format of logs`, {
    at: '--format',
    remedy: `Choose one of ${logFormats.join(', ')}.`,
  });
}

function notTold(): never {
  throw notToldFailure();
}

function notToldFailure(): Failure {
  return new Failure('usage', 'nothing tells the candidate’s lines from the others', {
    at: '--candidate',
    remedy: 'Give what only its lines have, such as the address of its server: `--candidate 10.0.0.7:8080`.',
  });
}

function tracesTell(): Failure {
  return new Failure('usage', 'a trace says itself which release a request belongs to', {
    at: '--candidate',
    remedy: 'Leave out `--candidate`, `--stable` and `--release-field`.',
  });
}

function tooSlow({ candidate, stable }: Options): Failure {
  return new Failure('usage', `some lines of the log took longer than ${mostMsPerPiece / 1000} s to tell apart`, {
    at: '--candidate, --stable',
    remedy: `Give a simpler expression than ${[candidate, stable].filter((text) => text !== undefined).join(' and ')}: no repetition inside a repetition.`,
  });
}

function pictureThere(file: string): Failure {
  return new Failure('usage', `${file} exists already`, {
    at: '--svg',
    remedy: 'Name another file, or overwrite it with `--force`.',
  });
}

const titleOf = (log: string | undefined): string =>
  `Evidence against the candidate${log === undefined ? '' : `: ${log}`}`;

const plotOf = ({ points, verdict, gate }: ReplayResult) => ({ points, verdict, needed: 1 / gate.alpha });

function jsonOf({ verdict, judgement, points, gate }: ReplayResult, withEvidence: boolean): object {
  if (!withEvidence) return verdict;
  const checks = judgement === undefined ? [] : checksOf(judgement);
  return { ...verdict, overTime: points, checks, evidence: judgement?.evidence ?? null, gate };
}
