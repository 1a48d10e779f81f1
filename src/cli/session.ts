// A session: one call of the CLI, with its options, its output and its way to a controller.

import type { CliContext, Connection } from './context.ts';
import type { GlobalOptions } from './globals.ts';
import { createOutput, type Output } from './output.ts';
import { type TypedLines, typedLines } from './typed-lines.ts';

export interface Session {
  readonly context: CliContext;
  readonly options: GlobalOptions;
  readonly out: Output;
  /** What the person types. */
  readonly typed: TypedLines;
}

export function createSession(context: CliContext, options: GlobalOptions): Session {
  return { context, options, out: createOutput(context, options), typed: typedLines(context.stdin) };
}

/** Whether a person sits in front of it: what is drawn is seen, and what is asked can be answered. */
export function isAttended({ context, options }: Session): boolean {
  return !options.json && context.stdout.isTTY === true && context.stdin.isTTY === true;
}

/** Whether stdout can be drawn on again and again. */
export function isDrawable({ context, options }: Session): boolean {
  return !options.json && context.stdout.isTTY === true && context.environment['TERM'] !== 'dumb';
}

/** Connects, does the work, and lets go of the connection whatever comes of it. */
export async function withConnection<Result>(
  session: Session,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const { home, server, token, verbose } = session.options;
  const connection = await session.context.connect({ home, server, token, verbose });
  try {
    return await work(connection);
  } finally {
    await connection.close('leave', (text) => session.out.note(text));
  }
}
