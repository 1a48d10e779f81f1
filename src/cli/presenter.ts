// Presenters: the three ways in which a deployment is shown while it runs. A drawn block, calm lines, or JSON lines.

import type { EventRecord } from '../core/rollout/record.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { LiveNumbers } from './context.ts';
import type { StepTimes } from './render/progress.ts';
import { isDrawable, type Session } from './session.ts';
import { presentDrawn } from './present-drawn.ts';
import { presentJson } from './present-json.ts';
import { presentPlain } from './present-plain.ts';

/** What is known of the deployment at one moment. */
export interface Seen {
  readonly rollout: Rollout;
  readonly live?: LiveNumbers | undefined;
  readonly latest?: EventRecord | undefined;
  readonly times: StepTimes;
  /** What Ctrl-C does, or what is wrong with the connection. */
  readonly note: string;
}

export interface Presenter {
  begin(seen: Seen): void;
  record(record: EventRecord, seen: Seen): void;
  live(live: LiveNumbers, seen: Seen): void;
  /** Time went by. */
  tick(seen: Seen): void;
  /** A word to the person. */
  note(text: string): void;
  /** The last word: it ended, or it waits and nobody stays with it. */
  end(seen: Seen, exitCode: number): void;
  /** Gives the terminal back without a last word. May be called more than once. */
  leave(): void;
}

/** `attended`: whether a controller goes on working after this command. */
export function createPresenter(session: Session, attended: boolean): Presenter {
  if (session.options.json) return presentJson(session);
  return isDrawable(session) ? presentDrawn(session, attended) : presentPlain(session, attended);
}
