// Shows a deployment to programs: one JSON object per line, each with its `kind`.

import type { Presenter } from './presenter.ts';
import type { Session } from './session.ts';

export function presentJson({ out }: Session): Presenter {
  return {
    begin: ({ rollout }) => out.json({ kind: 'deployment', deployment: rollout }),
    record: (record) => out.json({ kind: 'record', record }),
    live: (live, { rollout }) => out.json({ kind: 'live', scope: rollout.plan.scope, deployment: rollout.id, live }),
    tick() {},
    note: (text) => out.note(text),
    end: ({ rollout }, exitCode) => out.json({ kind: 'end', deployment: rollout, exitCode }),
    leave() {},
  };
}
