// The look: everything outside a value that its rendering depends on, so that renderers stay pure.

import type { Scope } from '../../core/scope.ts';
import type { Glyphs, Paint } from './paint.ts';
import type { Zone } from './units.ts';

export interface Look {
  /** Columns that a line may take. */
  readonly width: number;
  readonly paint: Paint;
  readonly glyphs: Glyphs;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly zone: Zone;
  /** The exact command line for a command of Sluice in a scope, with the global options that this call was given. */
  readonly command: (words: string, scope?: Scope) => string;
}
