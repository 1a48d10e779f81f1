// A controller of a few lines, for tests of the wire: it answers what the test says and remembers what it was asked.

import { Failure } from '../../src/base/failure.ts';
import type { Controller } from '../../src/engine/controller.ts';

export type Answers = { -readonly [Name in keyof Controller]?: Controller[Name] };

export interface FakeController extends Controller {
  /** Method and arguments of each question, signals left out. */
  readonly asked: readonly (readonly [keyof Controller, ...unknown[]])[];
}

/** What is not in `answers` fails with `deployment.none`. */
export function fakeController(answers: Answers = {}): FakeController {
  const asked: [keyof Controller, ...unknown[]][] = [];
  const ask =
    (name: keyof Controller) =>
    (...values: never[]): never => {
      asked.push([name, ...values.filter((value: unknown) => !(value instanceof AbortSignal))]);
      const answer = answers[name] as ((...values: never[]) => never) | undefined;
      if (answer === undefined) throw new Failure('deployment.none', `nothing for ${name}`, { remedy: 'Look.' });
      return answer(...values);
    };
  const later =
    (name: keyof Controller) =>
    async (...values: never[]): Promise<never> =>
      ask(name)(...values);
  return {
    asked,
    plan: later('plan'),
    deploy: later('deploy'),
    planRollback: later('planRollback'),
    rollback: later('rollback'),
    command: later('command'),
    status: later('status'),
    history: later('history'),
    detail: later('detail'),
    stream: ask('stream'),
    logs: ask('logs'),
    validate: later('validate'),
    prune: later('prune'),
    remove: later('remove'),
    close: later('close'),
  };
}

/** Yields the items, then waits until the signal aborts; tells when it has ended. */
export function streamOf<Item>(items: readonly Item[]): {
  readonly answer: (_: unknown, signal: AbortSignal) => AsyncGenerator<Item>;
  readonly ended: Promise<void>;
} {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  return {
    ended,
    async *answer(_, signal) {
      try {
        yield* items;
        if (!signal.aborted) await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
      } finally {
        resolve();
      }
    },
  };
}
