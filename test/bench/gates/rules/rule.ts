// A rule under test: it sees the traffic tick by tick, and says when it would abort.

import type { Tick } from '../traffic.ts';

export interface Rule {
  readonly name: string;
  /** Takes up a tick; true when the rule aborts now. */
  readonly observe: (tick: Tick) => boolean;
}
