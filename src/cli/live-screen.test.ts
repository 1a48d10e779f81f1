import assert from 'node:assert/strict';
import test from 'node:test';

import { createLiveScreen } from './live-screen.ts';

const escape = '\u001b';
const pieces = new RegExp(`${escape}\\[\\??\\d*[A-Za-z]|\\n|\\r|[^${escape}\\n\\r]+`, 'gu');

/** A terminal of a few columns that understands what the screen writes to it. */
class Terminal {
  columns: number;
  readonly lines: string[] = [''];
  #row = 0;
  cursor: 'shown' | 'hidden' = 'shown';
  writes = 0;

  constructor(columns: number) {
    this.columns = columns;
  }

  write(text: string): void {
    this.writes += 1;
    for (const [piece] of text.matchAll(pieces)) this.#take(piece);
  }

  #take(piece: string): void {
    const up = /^.\[(\d+)A$/u.exec(piece);
    if (up !== null) this.#row = Math.max(0, this.#row - Number(up[1]));
    else if (piece.endsWith('[2K')) this.lines[this.#row] = '';
    else if (piece.endsWith('[J')) this.lines.splice(this.#row, Infinity, '');
    else if (piece.endsWith('[?25l')) this.cursor = 'hidden';
    else if (piece.endsWith('[?25h')) this.cursor = 'shown';
    else if (piece === '\n') this.lines[(this.#row += 1)] ??= '';
    else if (!piece.includes('[?2026') && piece !== '\r') this.#text(piece);
  }

  #text(text: string): void {
    for (let at = 0; at < text.length; at += this.columns) {
      if (at > 0) this.#row += 1;
      this.lines[this.#row] = text.slice(at, at + this.columns);
    }
  }

  get shown(): readonly string[] {
    return this.lines.filter((row) => row !== '');
  }
}

test('a block is drawn over itself, also when it grows and shrinks', () => {
  const terminal = new Terminal(20);
  const screen = createLiveScreen(terminal);
  screen.draw(['one', 'two']);
  screen.draw(['1', '2', '3']);
  assert.deepEqual(terminal.shown, ['1', '2', '3']);
  screen.draw(['last']);
  assert.deepEqual(terminal.shown, ['last']);
  assert.equal(terminal.cursor, 'hidden');
});

test('lines that are printed stay above the block', () => {
  const terminal = new Terminal(20);
  const screen = createLiveScreen(terminal);
  screen.draw(['block', 'of two']);
  screen.print(['a note']);
  screen.draw(['block', 'again']);
  assert.deepEqual(terminal.shown, ['a note', 'block', 'again']);
});

test('the end takes the block away and gives the cursor back, once', () => {
  const terminal = new Terminal(20);
  const screen = createLiveScreen(terminal);
  screen.draw(['block']);
  screen.end();
  screen.end();
  assert.deepEqual(terminal.shown, []);
  assert.equal(terminal.cursor, 'shown');
  assert.equal(terminal.writes, 2);
});

test('what looks the same is not written again', () => {
  const terminal = new Terminal(20);
  const screen = createLiveScreen(terminal);
  screen.draw(['block']);
  screen.draw(['block']);
  assert.equal(terminal.writes, 1);
});

test('a terminal that was made narrower has wrapped the lines, and they are all replaced', () => {
  const terminal = new Terminal(20);
  const screen = createLiveScreen(terminal);
  screen.draw(['x'.repeat(18), 'y'.repeat(18)]);
  terminal.columns = 10;
  terminal.lines.splice(0, Infinity, 'x'.repeat(10), 'x'.repeat(8), 'y'.repeat(10), 'y'.repeat(8), '');
  terminal.write('\n\n');
  screen.draw(['small']);
  assert.deepEqual(terminal.shown, ['small']);
});
