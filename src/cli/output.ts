// Output: lines for people, or JSON for programs, on the streams of the context.

import type { FailureData } from '../base/failure.ts';
import type { CliContext, TextSink } from './context.ts';
import { commandLine, type GlobalOptions } from './globals.ts';
import { renderFailure } from './render/failure.ts';
import type { Look } from './render/look.ts';
import { asciiGlyphs, colourPaint, plainPaint, unicodeGlyphs } from './render/paint.ts';

export interface Output {
  /** How things look on stdout now. */
  look(): Look;
  lines(lines: readonly string[]): void;
  /** One line of JSON on stdout. */
  json(value: unknown): void;
  /** A word beside the result, on stderr. */
  note(text: string): void;
  failure(failure: FailureData, stack?: string): void;
}

export function createOutput(context: CliContext, options: GlobalOptions): Output {
  const onStdout = (text: string): void => void context.stdout.write(text);
  const onStderr = (text: string): void => void context.stderr.write(text);
  return {
    look: () => lookOf(context, options, context.stdout),
    lines: (lines) => onStdout(lines.map((line) => `${line}\n`).join('')),
    json: (value) => onStdout(`${jsonText(value)}\n`),
    note: (text) => onStderr(`${text}\n`),
    failure(failure, stack) {
      if (options.json) onStdout(`${jsonText({ error: failure })}\n`);
      else onStderr(`${renderFailure(failure, lookOf(context, options, context.stderr)).join('\n')}\n`);
      if (options.verbose && stack !== undefined) onStderr(`${stack}\n`);
    },
  };
}

/** Lines of text are read badly beyond this width, however wide the terminal is. */
const widest = 100;
const narrowest = 40;

function lookOf(context: CliContext, options: GlobalOptions, sink: TextSink): Look {
  const terminal = sink.isTTY === true;
  // A line that fills the last column makes some terminals wrap.
  const columns = terminal ? (sink.columns ?? 80) - 1 : widest;
  return {
    width: Math.max(narrowest, Math.min(widest, columns)),
    paint: terminal && options.colour ? colourPaint : plainPaint,
    glyphs: speaksUnicode(context.environment) ? unicodeGlyphs : asciiGlyphs,
    now: context.now(),
    zone: (at) => context.zone(at),
    command: (words, scope) => commandLine(words, options, scope),
  };
}

/** Whether the locale says UTF-8; a machine that says nothing is taken to be a modern one. */
function speaksUnicode(environment: CliContext['environment']): boolean {
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'];
  return locale === undefined || locale === '' || /utf-?8/i.test(locale);
}

// JSON escapes the control characters below U+0020 only; these act on terminals as well.
const unescaped = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** JSON on one line that a terminal can show without harm. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    unescaped,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
