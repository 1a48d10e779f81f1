// The output of containers as one sequence of lines.

import { Failure } from '../../../base/failure.ts';
import type { LogLine } from '../../../core/instance.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { LogQuery } from '../../../ports/platform.ts';
import { EngineRefusal } from './connection.ts';
import type { EngineApi } from './engine-api.ts';
import { outputLines, type OutputLine } from './log-stream.ts';
import { type Member, membersOf } from './members.ts';
import type { Realm } from './names.ts';

/** A query, and whose containers it is about. */
type OwnQuery = LogQuery & Realm;

const lookEveryMs = 1_000;

/** A long line is several entries for the engine; so many more are asked for, that the newest lines are whole. */
const spareEntries = 64;

/** The newest lines of each instance, then, with `follow`, new lines of these and of instances that come later. */
export async function* readLogs(
  api: EngineApi,
  clock: Clock,
  query: OwnQuery,
  signal?: AbortSignal,
): AsyncGenerator<LogLine> {
  if (query.follow) return yield* followed(api, clock, query, signal);
  for (const member of await wanted(api, query)) yield* newest(api, member, query.lastLines, signal);
}

/** Instances that Sluice stopped count only where they or their release are asked for by name. */
async function wanted(api: EngineApi, query: OwnQuery): Promise<readonly Member[]> {
  const named = query.release !== undefined || query.instance !== undefined;
  return (await membersOf(api, query)).filter(
    (member) =>
      (query.release === undefined || member.release === query.release) &&
      (query.instance === undefined || member.instance === query.instance) &&
      (named || !member.ended || member.state === 'running'),
  );
}

async function* newest(
  api: EngineApi,
  member: Member,
  count: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine> {
  const kept: OutputLine[] = [];
  for await (const line of open(api, member, { count: count + spareEntries, follow: false }, signal)) {
    kept.push(line);
    if (kept.length > 2 * (count + spareEntries)) kept.splice(0, kept.length - count);
  }
  for (const line of count === 0 ? [] : kept.slice(-count)) yield lineOf(member, line);
}

async function* open(
  api: EngineApi,
  { id, container }: Member,
  {
    count,
    since,
    follow,
  }: { readonly count?: number | undefined; readonly since?: number | undefined; readonly follow: boolean },
  signal: AbortSignal | undefined,
): AsyncGenerator<OutputLine> {
  try {
    const source = api.output(id, { tail: count ?? 'all', since, follow }, signal);
    yield* outputLines(source, container.Config.Tty !== true);
  } catch (error) {
    if (signal?.aborted === true) return;
    if (!(error instanceof EngineRefusal)) throw error;
    // It was removed meanwhile, and its output with it.
    if (error.status === 404) return;
    throw unreadable(error);
  }
}

/** Lines of many containers, as they come, through one queue of bounded length. */
async function* followed(
  api: EngineApi,
  clock: Clock,
  query: OwnQuery,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine> {
  const ended = new AbortController();
  const over = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  const queue = new LineQueue(over);
  const following = new Set<string>();
  /** The time of the newest line of each container: its stream ends with it, and begins again when it is started again. */
  const toldUpTo = new Map<string, number>();
  const look = async (): Promise<void> => {
    for (let first = true; !over.aborted; first = false) {
      for (const member of await wanted(api, query)) {
        const known = toldUpTo.has(member.id);
        if (following.has(member.id) || (known && member.state !== 'running')) continue;
        following.add(member.id);
        const from = known ? { since: toldUpTo.get(member.id) } : { lastLines: first ? query.lastLines : undefined };
        const told = (at: number): void => void toldUpTo.set(member.id, at);
        void tell(api, member, { ...from, told }, queue, over).finally(() => following.delete(member.id));
      }
      await clock.sleep(lookEveryMs, over);
    }
  };
  look().catch((error: unknown) => queue.fail(error));
  try {
    yield* queue.lines();
  } finally {
    ended.abort();
  }
}

interface Telling {
  /** So many of the newest lines first; undefined: all. */
  readonly lastLines?: number | undefined;
  /** Only what came after this time. */
  readonly since?: number | undefined;
  readonly told: (at: number) => void;
}

async function tell(
  api: EngineApi,
  member: Member,
  { lastLines, since, told }: Telling,
  queue: LineQueue,
  over: AbortSignal,
): Promise<void> {
  try {
    let upTo = since ?? 0;
    told(upTo);
    const past = lastLines === undefined ? 0 : await surplus(api, member, lastLines, over);
    const count = lastLines === undefined ? undefined : lastLines + spareEntries;
    let number = 0;
    for await (const line of open(api, member, { count, since, follow: true }, over)) {
      number += 1;
      if (number > past) await queue.put(lineOf(member, line));
      upTo = line.at ?? upTo;
      told(upTo);
    }
  } catch (error) {
    queue.fail(error);
  }
}

/** How many lines come before the newest `lastLines` when some more entries are asked for. */
async function surplus(api: EngineApi, member: Member, lastLines: number, over: AbortSignal): Promise<number> {
  let lines = 0;
  const past = open(api, member, { count: lastLines + spareEntries, follow: false }, over);
  for await (const _ of past) lines += 1;
  return Math.max(0, lines - lastLines);
}

const longestQueue = 1_000;

class LineQueue {
  readonly #over: AbortSignal;
  #lines: LogLine[] = [];
  #failure: { readonly error: unknown } | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(over: AbortSignal) {
    this.#over = over;
    over.addEventListener('abort', () => this.#tell(), { once: true });
  }

  /** Waits while nobody reads. */
  async put(line: LogLine): Promise<void> {
    while (this.#lines.length >= longestQueue && !this.#over.aborted) await this.#changed.promise;
    this.#lines.push(line);
    this.#tell();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#tell();
  }

  async *lines(): AsyncGenerator<LogLine> {
    while (!this.#over.aborted) {
      const ready = this.#lines;
      this.#lines = [];
      if (ready.length > 0) this.#tell();
      yield* ready;
      if (this.#lines.length > 0) continue;
      if (this.#failure !== undefined) throw this.#failure.error;
      if (!this.#over.aborted) await this.#changed.promise;
    }
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function lineOf({ release, instance }: Member, { at, stream, text }: OutputLine): LogLine {
  return { ...(at === undefined ? {} : { at }), release, instance, stream, text };
}

function unreadable(refusal: EngineRefusal): Failure {
  return new Failure('plan.unsupported', `The container engine cannot give the output: ${refusal.message}.`, {
    at: 'platform.docker.log',
    remedy: 'Read it where the log driver sends it, or choose `json-file`, `local` or `journald`.',
    cause: refusal,
  });
}
