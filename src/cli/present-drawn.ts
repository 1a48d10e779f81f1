// Shows a deployment on a terminal: a block that is drawn again in place, and at the end the outcome in its stead.

import { createLiveScreen } from './live-screen.ts';
import type { Presenter, Seen } from './presenter.ts';
import { renderLive } from './render/live.ts';
import { renderOutcome } from './render/outcome.ts';
import { hanging } from './render/text.ts';
import type { Session } from './session.ts';

export function presentDrawn({ context, out }: Session, attended: boolean): Presenter {
  const screen = createLiveScreen(context.stdout);
  const draw = (seen: Seen): void => {
    // One row stays free for the cursor: a block as high as the terminal would scroll.
    const rows = Math.max(3, (context.stdout.rows ?? 24) - 1);
    screen.draw(renderLive(seen, rows, out.look()));
  };
  return {
    begin: draw,
    record: (_record, seen) => draw(seen),
    live: (_live, seen) => draw(seen),
    tick: draw,
    note: (text) => screen.print(hanging('', text, out.look().width)),
    end({ rollout }) {
      screen.end();
      out.lines(renderOutcome(rollout, out.look(), { attended }));
    },
    leave: () => screen.end(),
  };
}
