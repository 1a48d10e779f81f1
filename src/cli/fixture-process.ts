// For tests: the CLI in a real process, with real streams and signals, but a connection that only tells a story.

import type { Client, Connection, StreamItem } from './context.ts';
import { instance, newRelease, scope, stories } from './fixture-story.ts';
import { processContext } from './process-context.ts';
import { run } from './run.ts';

const story = stories.canaryInProgress();
const settling = Promise.withResolvers<void>();

const client: Partial<Client> = {
  command: async () => story.rollout,
  detail: async () => ({ rollout: story.rollout, records: story.records }),
  async *stream(query, signal): AsyncGenerator<StreamItem> {
    const news = (after: number): StreamItem[] =>
      story.records.filter(({ sequence }) => sequence > after).map((record) => ({ kind: 'record', record }));
    yield* news(query.after ?? 0);
    const before = story.records.at(-1)?.sequence ?? 0;
    await Promise.race([settling.promise, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    yield* news(before);
  },
  async *logs(_request, signal) {
    for (let count = 0; !signal.aborted; count += 1) {
      yield {
        release: newRelease.id,
        instance: instance('shop-a', newRelease, 4001).id,
        stream: 'stdout',
        text: `line ${count}`,
      };
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
};

const stubborn = process.env['FIXTURE_STUBBORN'] === '1';

async function close(mode: 'leave' | 'settle'): Promise<void> {
  if (mode === 'leave') return;
  // Keeps the process alive, as the work of going back would.
  const work = setInterval(() => undefined, 1000);
  if (stubborn) await new Promise<never>(() => undefined);
  story.tell({ kind: 'abort', reason: 'its controller ends' }, 1000).settle();
  settling.resolve();
  clearInterval(work);
}

const unused = async (): Promise<never> => {
  throw new Error(`not in this test: ${JSON.stringify(scope)}`);
};

const context = processContext({
  connect: async (): Promise<Connection> => ({
    client: client as Client,
    mode: process.env['FIXTURE_MODE'] === 'server' ? 'server' : 'local',
    close,
  }),
  startServer: unused,
  demo: unused,
});
const exitCode = await run(context);
await context.flush();
process.exit(exitCode);
