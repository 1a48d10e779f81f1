// For tests: a look with a fixed width, zone and time.

import { noon } from '../fixture-story.ts';
import type { Look } from './look.ts';
import { plainPaint, unicodeGlyphs } from './paint.ts';

export function look(now: number = noon, changes: Partial<Look> = {}): Look {
  return {
    width: 79,
    paint: plainPaint,
    glyphs: unicodeGlyphs,
    now,
    zone: () => 60,
    command: (words, scope) => `sluice ${words}${scope === undefined ? '' : ` -e ${scope.environment}`}`,
    ...changes,
  };
}

/** A block of expected lines, written between backticks from the second line on. */
export function lines(text: string): readonly string[] {
  return text.replace(/^\n/, '').replace(/\n *$/, '').split('\n');
}
