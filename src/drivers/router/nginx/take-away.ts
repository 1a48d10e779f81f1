// Takes the include of a scope away: a note takes its place, and NGINX is asked until it serves by the include no more.

import { Failure } from '../../../base/failure.ts';
import { whetherServes, unreachable } from './ask.ts';
import { type ChangeTools, goesOn, type Goal, keepFormer, orTakenBack, reload, writeInclude } from './change.ts';
import type { Model } from './model.ts';
import type { Program } from './program.ts';
import { awayNote } from './render.ts';

export interface Removal {
  /** Of the include that NGINX serves by. */
  readonly model: Model;
  /** That include still lies there; otherwise a removal was killed, and the include is what lies beside it as the former one. */
  readonly lies: boolean;
  /** Asked right before the write: whether the removal still starts from what lies there. */
  readonly isCurrent: () => Promise<boolean>;
}

/**
 * Resolves when NGINX does not serve by the include; false: nothing was done, because something else lies there by now. Where no
 * NGINX runs, the note is all there is to do. Rejects with `router.refused` (then the include is back) or `router.unreachable`.
 */
export async function takeAway(
  tools: ChangeTools,
  { model, lies, isCurrent }: Removal,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { spec, files, program, log } = tools;
  log.write('info', 'taking the service out of NGINX', { include: spec.include });
  if (!(await isCurrent())) return false;
  if (lies) await keepFormer(files);
  const note = awayNote(model.scope);
  await writeInclude(files, note, 0o644);
  await orTakenBack(files, note, async () => {
    if (!(await isTold(tools, model, () => tested(program)))) return;
    await reload(tools, noLonger(tools, model), model, signal);
  });
  return true;
}

/** A container that does not run cannot say what it thinks of the configuration. */
async function tested(program: Program): Promise<void> {
  if (!(await program.isContainerGone())) return program.test();
  throw new Failure('router.unreachable', 'The container that NGINX runs in does not run.', {
    at: 'router.nginx.container',
    remedy: 'Start the container, or correct its name.',
  });
}

/** False where NGINX cannot be reached and nobody serves by the include either: it does not run, and reads the note when it starts. */
async function isTold({ spec, log }: ChangeTools, model: Model, tell: () => Promise<void>): Promise<boolean> {
  try {
    await tell();
    return true;
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'router.unreachable')) throw error;
    if ((await whetherServes(spec, model.askToken)) !== 'not') throw error;
    log.write('warn', 'NGINX does not run; it is not told that the service was taken away', { problem: error.message });
    return false;
  }
}

function noLonger(tools: ChangeTools, model: Model): Goal {
  const { spec, program } = tools;
  let silent = false;
  return {
    tell: () => isTold(tools, model, () => program.reload()),
    isReached: async () => {
      const found = await whetherServes(spec, model.askToken);
      silent = found === 'silent';
      return found === 'not';
    },
    missed: () => (silent ? unreachable(spec, 'it does not answer in time') : goesOn(spec)),
  };
}
