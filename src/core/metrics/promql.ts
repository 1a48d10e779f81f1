// Puts values into PromQL so that they stay what they are: text inside quotes, and a duration for the window, nothing else.

import { fill, isPlaceholder, placeholderNames } from './placeholders.ts';
import type { QuestionValues } from './question.ts';

/** A piece of PromQL; only inside of quotes can a text stand without becoming part of the query. */
interface Piece {
  readonly kind: 'code' | 'comment' | 'double' | 'single' | 'raw';
  /** Quotes included. */
  readonly text: string;
  /** Of a quoted text: whether it is the pattern of `=~` or `!~`. */
  readonly pattern: boolean;
}

/** Sticky: one quoted text, one comment, one placeholder, or one other character; a quote that is not closed is its own piece. */
const piece = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`|#[^\n]*|\{\{[^{}]*\}\}|[\s\S]/y;

function piecesOf(query: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let before = '';
  piece.lastIndex = 0;
  for (let match = piece.exec(query); match !== null; match = piece.exec(query)) {
    const [text] = match;
    const kind = kindOf(text);
    pieces.push({ kind, text, pattern: /[=!]~\s*$/.test(before) });
    if (kind !== 'comment') before = (before + text).slice(-16);
  }
  return pieces;
}

function kindOf(text: string): Piece['kind'] {
  if (text.startsWith('#')) return 'comment';
  if (text.length < 2) return 'code';
  const kinds: Readonly<Record<string, Piece['kind']>> = { '"': 'double', "'": 'single', '`': 'raw' };
  return kinds[text.charAt(0)] ?? 'code';
}

/** The query with its values. It must have no problem; see `promqlProblem`. */
export function fillPromql(query: string, values: QuestionValues): string {
  return piecesOf(query)
    .map(({ kind, text, pattern }) => {
      if (kind === 'comment') return '';
      if (kind === 'code') return fill(text, values, (value) => value);
      return fill(text, values, (value) => quoted(pattern ? literally(value) : value));
    })
    .join('');
}

/** Inside a pattern every character stands for itself. */
function literally(value: string): string {
  return value.replaceAll(/[\\^$.|?*+()[\]{}]/g, (character) => `\\${character}`);
}

/** For a text between `"` or `'`. */
function quoted(value: string): string {
  return value
    .replaceAll('\\', () => '\\\\')
    .replaceAll('"', () => '\\"')
    .replaceAll("'", () => "\\'")
    .replaceAll('\n', () => '\\n');
}

/** What is wrong with a query's placeholders, and what to write instead; undefined when nothing is. */
export function promqlProblem(query: string): { readonly problem: string; readonly remedy: string } | undefined {
  const pieces = piecesOf(query);
  if (pieces.some(({ kind, text }) => kind === 'code' && /^["'`]$/.test(text)))
    return { problem: 'has a quote that is not closed', remedy: 'Close the quote.' };
  for (const { kind, text } of pieces) {
    for (const [whole, name = ''] of text.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)) {
      if (kind === 'comment') continue;
      if (!isPlaceholder(name))
        return { problem: `has ${whole}, which stands for nothing`, remedy: `Known: ${known()}.` };
      if (kind === 'raw') return { problem: `has ${whole} between backticks`, remedy: 'Use double quotes there.' };
      if (kind === 'code' && name !== 'window')
        return {
          problem: `has ${whole} outside of quotes`,
          remedy: `Write it inside quotes, as in release="{{${name}}}".`,
        };
    }
  }
  return undefined;
}

function known(): string {
  return placeholderNames.map((name) => `{{${name}}}`).join(', ');
}

/** A label's matcher with a fixed text, in which placeholders may stand: `release="{{release}}"`. */
export function equalTo(label: string, text: string): string {
  return `${label}="${quotedTemplate(text)}"`;
}

export function matching(label: string, pattern: string): string {
  return `${label}=~"${quotedTemplate(pattern)}"`;
}

function quotedTemplate(text: string): string {
  return text
    .replaceAll('\\', () => '\\\\')
    .replaceAll('"', () => '\\"')
    .replaceAll('\n', () => '\\n');
}
