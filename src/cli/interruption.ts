// Ctrl-C while a deployment is followed: with a server it detaches, without one it brings the deployment to a safe state first.

import type { Rollout } from '../core/rollout/rollout.ts';
import type { Connection, SignalName } from './context.ts';
import { codeOfSignal } from './exit.ts';
import { commandLine } from './globals.ts';
import type { Session } from './session.ts';

export interface Interruption {
  /** Aborts when following has to end. */
  readonly signal: AbortSignal;
  /** Whether a signal came. */
  readonly interrupted: boolean;
  /** Whether the deployment is being, or was, brought to a safe state. */
  readonly settling: boolean;
  /** What Ctrl-C would do now. */
  readonly hint: string;
  /** Exit code for having been interrupted. */
  readonly code: number;
  /** Resolves at once, or when the deployment was brought to a safe state; rejects where it could not be. */
  settled(): Promise<void>;
  /** Says what goes on without the person, and how to come back. */
  sayFarewell(): void;
  /** Ends following. */
  stop(): void;
  /** Lets go of the signals. */
  end(): void;
}

export interface InterruptionOptions {
  readonly session: Session;
  readonly connection: Connection;
  readonly deployment: Rollout;
  /** Whether this process carries the deployment out. */
  readonly responsible: boolean;
  /** Says something beside what is shown. */
  readonly note: (text: string) => void;
  /** Gives the terminal back. */
  readonly leave: () => void;
}

/** Terminal and package runner may both pass on one Ctrl-C: a second signal within this time is the same. */
const sameSignalMs = 400;

const lastRecordsMs = 1000;

export function createInterruption(options: InterruptionOptions): Interruption {
  const { session, connection, responsible, note } = options;
  const { context } = session;
  const controller = new AbortController();
  let first: { readonly signal: SignalName; readonly at: number } | undefined;
  let settled: Promise<void> | undefined;

  const settle = (): Promise<void> => {
    note('Bringing the deployment to a safe state before leaving; Ctrl-C again leaves at once.');
    const closed = connection.close('settle');
    // The last records may still be on their way when the work is done; who follows stops by itself when it has them.
    const seen = closed.then(
      () => context.sleep(lastRecordsMs, controller.signal),
      () => undefined,
    );
    void seen.then(() => controller.abort());
    return closed;
  };
  const release = context.onSignal((signal) => {
    if (first !== undefined) {
      if (Math.abs(context.now() - first.at) > sameSignalMs) leaveAtOnce(options, signal);
      return;
    }
    first = { signal, at: context.now() };
    if (responsible) settled = settle();
    else controller.abort();
  });
  if (!responsible) stopWithoutReader(context.stdoutGone, controller);
  return {
    signal: controller.signal,
    get interrupted() {
      return first !== undefined;
    },
    get settling() {
      return settled !== undefined;
    },
    get hint() {
      const isRollback = options.deployment.plan.strategy === 'rollback';
      if (settled !== undefined)
        return `${isRollback ? 'Finishing' : 'Going back'} before leaving; Ctrl-C again leaves at once.`;
      if (!responsible) return 'Ctrl-C leaves; the deployment goes on.';
      return isRollback
        ? 'Ctrl-C leaves when the rollback is through, or undone where no traffic moved yet.'
        : 'Ctrl-C goes back to stable, then leaves.';
    },
    get code() {
      return codeOfSignal(first?.signal ?? 'SIGINT');
    },
    settled: () => settled ?? Promise.resolve(),
    sayFarewell: () => sayFarewell(options, first !== undefined),
    stop: () => controller.abort(),
    end: release,
  };
}

/** Without a reader there is nothing to follow for; only who carries the deployment out goes on in silence. */
function stopWithoutReader(gone: AbortSignal, controller: AbortController): void {
  if (gone.aborted) controller.abort();
  gone.addEventListener('abort', () => controller.abort(), { once: true, signal: controller.signal });
}

function leaveAtOnce({ session, deployment, responsible, leave }: InterruptionOptions, signal: SignalName): void {
  leave();
  const line = (words: string): string => commandLine(words, session.options, deployment.plan.scope);
  const consequence = responsible
    ? 'Left at once. Traffic stays as it is now, and nobody judges the new release.'
    : 'Left at once; the deployment goes on.';
  const [words, what] =
    deployment.plan.strategy === 'rollback'
      ? ['rollback', 'goes on with it']
      : ['abort', 'sends all traffic back to stable'];
  session.context.stderr.write(`${consequence}\n  ${line('status')}  shows how it stands\n  ${line(words)}  ${what}\n`);
  session.context.exit(codeOfSignal(signal));
}

function sayFarewell({ session, deployment, responsible }: InterruptionOptions, interrupted: boolean): void {
  if (!interrupted) return;
  const words = responsible
    ? 'Left before its end was seen. How it stands:'
    : 'Left; the deployment goes on. Come back with:';
  const line = commandLine(responsible ? 'status' : 'status --watch', session.options, deployment.plan.scope);
  session.context.stderr.write(`${words}\n  ${line}\n`);
}
