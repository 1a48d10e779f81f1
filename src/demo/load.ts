// The steady load: a few visitors, each with a connection of its own that stays open, who ask for pages at an even pace.

import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { faultHeader, versionHeader } from './service/shop.ts';
import { counted, nothing, type Outcome, type Totals } from './tally.ts';

export interface LoadOptions {
  readonly port: number;
  readonly visitors: number;
  /** Of all visitors together; fewer where the machine is slower, never more. */
  readonly requestsPerSecond: number;
}

export interface Load {
  totals(): Totals;
  /** Resolves when every request that was sent has its outcome. */
  stop(): Promise<void>;
}

/** A visitor whose answer takes longer has lost patience, and counts as failed. */
const patienceMs = 10_000;
const pages = ['/', '/checkout'] as const;

export function startLoad(options: LoadOptions): Load {
  const stopped = new AbortController();
  let totals = nothing;
  const everyMs = (1000 * options.visitors) / options.requestsPerSecond;
  const visit = async (number: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    // One after the other, not all at the same moment.
    let due = performance.now() + (everyMs * number) / options.visitors;
    while (!stopped.signal.aborted) {
      await pause(due - performance.now(), stopped.signal);
      if (stopped.signal.aborted) break;
      // Who fell behind does not catch up with a burst.
      due = Math.max(due + everyMs, performance.now());
      const begunAt = Date.now();
      const outcome = await ask(agent, options.port, anyPage());
      totals = counted(totals, begunAt, outcome);
    }
    agent.destroy();
  };
  const visitors = Promise.all(Array.from({ length: options.visitors }, (_, number) => visit(number)));
  return {
    totals: () => totals,
    stop: async () => {
      stopped.abort();
      await visitors;
    },
  };
}

/** By chance: a regular order could fall into step with the order in which the proxy gives a canary its share. */
function anyPage(): string {
  return pages[Math.floor(Math.random() * pages.length)] ?? '/';
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  if (durationMs > 0) await wait(durationMs, undefined, { signal }).catch(() => undefined);
}

function ask(agent: Agent, port: number, path: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const asking = request({ agent, host: '127.0.0.1', port, path, timeout: patienceMs });
    const broke = (error: Error & { readonly code?: string }): void =>
      resolve({ kind: 'broken', reason: error.code ?? error.message });
    asking.once('timeout', () => asking.destroy(new Error(`no answer within ${patienceMs / 1000} s`)));
    asking.once('error', broke);
    asking.once('response', (answer) => {
      const header = (name: string): string | undefined => answer.headers[name]?.toString();
      answer.once('error', broke);
      answer.once('end', () =>
        resolve({
          kind: 'answered',
          status: answer.statusCode ?? 0,
          version: header(versionHeader),
          fault: header(faultHeader),
        }),
      );
      answer.resume();
    });
    asking.end();
  });
}
