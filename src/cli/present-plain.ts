// Shows a deployment where nothing can be drawn: a line per record, and live numbers now and then.

import type { Presenter } from './presenter.ts';
import { renderHeadline, renderReleases } from './render/deployment.ts';
import { renderOutcome } from './render/outcome.ts';
import { liveLine, recordLine } from './render/record.ts';
import type { Session } from './session.ts';

/** Live numbers come at most this often. */
const liveEveryMs = 10_000;

export function presentPlain({ context, out }: Session, attended: boolean): Presenter {
  let liveAt = -Infinity;
  return {
    begin({ rollout }) {
      out.lines([
        ...renderHeadline(rollout, out.look()),
        ...renderReleases(rollout, out.look()),
        `  id        ${rollout.id}`,
      ]);
    },
    record: (record) => out.lines([recordLine(record, out.look())]),
    live(live, { rollout }) {
      const now = context.now();
      // A clock that was set back must not silence the numbers.
      if (now >= liveAt && now < liveAt + liveEveryMs) return;
      liveAt = now;
      out.lines([liveLine(live, rollout.status, out.look())]);
    },
    tick() {},
    note: (text) => out.note(text),
    end: ({ rollout }) => out.lines(['', ...renderOutcome(rollout, out.look(), { attended })]),
    leave() {},
  };
}
