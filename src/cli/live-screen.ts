// A block of lines that is drawn in place of itself on a terminal, without flicker, and whole lines above it that stay.

import type { TextSink } from './context.ts';
import { columnsOf } from './render/text.ts';

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
// Terminals that know it show everything between the two at once; others ignore it.
const beginUpdate = '\u001b[?2026h';
const endUpdate = '\u001b[?2026l';
const clearLine = '\u001b[2K';
const clearBelow = '\u001b[J';

export interface LiveScreen {
  /** Draws the block; does nothing when it looks the same already. */
  draw(lines: readonly string[]): void;
  /** Writes lines above the block; the next `draw` comes below them. */
  print(lines: readonly string[]): void;
  /** Takes the block away and gives the cursor back. May be called more than once. */
  end(): void;
}

export function createLiveScreen(sink: TextSink): LiveScreen {
  let shown: readonly string[] = [];
  let drawn = false;

  const clear = (): string => {
    const rows = rowsOf(shown, sink.columns ?? 80);
    shown = [];
    return rows === 0 ? '' : `\r\u001b[${rows}A${clearBelow}`;
  };
  return {
    draw(lines) {
      if (drawn && lines.length === shown.length && lines.every((line, index) => line === shown[index])) return;
      const columns = sink.columns ?? 80;
      const up = rowsOf(shown, columns);
      const text = lines.map((line) => `${clearLine}${line}\n`).join('');
      const start = `${drawn ? '' : hideCursor}${beginUpdate}${up === 0 ? '' : `\r\u001b[${up}A`}`;
      sink.write(`${start}${text}${clearBelow}${endUpdate}`);
      shown = lines;
      drawn = true;
    },
    print(lines) {
      sink.write(`${clear()}${lines.map((line) => `${line}\n`).join('')}`);
    },
    end() {
      if (!drawn) return;
      sink.write(`${clear()}${showCursor}`);
      drawn = false;
    },
  };
}

/** Rows that lines take: a terminal that was made narrower since has wrapped them. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(columnsOf(line) / Math.max(1, columns))), 0);
}
