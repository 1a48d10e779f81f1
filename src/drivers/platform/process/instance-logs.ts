// The output of instances as one sequence of lines.

import { stat } from 'node:fs/promises';
import type { LogLine } from '../../../core/instance.ts';
import { sameScope } from '../../../core/scope.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { LogQuery } from '../../../ports/platform.ts';
import type { InstanceRecord } from './instance-record.ts';
import type { InstanceRecords } from './instance-records.ts';
import { currentLog, type Stream } from './log-files.ts';
import { LogReader } from './log-reader.ts';

const pollMs = 200;
/** Every so many polls it is looked for new instances. */
const lookEvery = 5;

const streams: readonly Stream[] = ['stdout', 'stderr'];

interface Source {
  readonly record: InstanceRecord;
  readonly stream: Stream;
  readonly reader: LogReader;
}

/** The newest lines of each instance, then, with `follow`, new lines of these and of instances that come later. */
export async function* readLogs(
  records: InstanceRecords,
  clock: Clock,
  query: LogQuery,
  signal?: AbortSignal,
): AsyncGenerator<LogLine> {
  const sources = new Map<string, readonly Source[]>();
  const ended = (): boolean => signal?.aborted === true;
  for (let poll = 0; !ended(); poll += 1) {
    const found = poll % lookEvery === 0 ? await wanted(records, query) : [];
    for (const record of found.filter(({ id }) => !sources.has(id))) {
      const opened = open(records, record);
      sources.set(record.id, opened);
      // Of an instance that comes later everything is new.
      yield* newestLines(records, opened, poll === 0 ? query.lastLines : Infinity, query.follow);
    }
    if (!query.follow) return;
    for (const source of [...sources.values()].flat()) yield* newLines(source);
    await clock.sleep(pollMs, signal);
  }
}

/** Instances that Sluice stopped count only where they or their release are asked for by name. */
async function wanted(records: InstanceRecords, query: LogQuery): Promise<readonly InstanceRecord[]> {
  const named = query.release !== undefined || query.instance !== undefined;
  return (await records.all()).filter(
    (record) =>
      sameScope(record.scope, query.scope) &&
      (query.release === undefined || record.release === query.release) &&
      (query.instance === undefined || record.id === query.instance) &&
      (named || record.phase !== 'ended'),
  );
}

function open(records: InstanceRecords, record: InstanceRecord): readonly Source[] {
  const directory = records.directory(record.id);
  return streams.map((stream) => ({ record, stream, reader: new LogReader(directory, stream) }));
}

/** The stream that was written last comes last; each has its fair part of `count`, and what the other does not need. */
async function* newestLines(
  records: InstanceRecords,
  sources: readonly Source[],
  count: number,
  mayGoOn: boolean,
): AsyncGenerator<LogLine> {
  const read = await Promise.all(
    sources.map(async (source) => ({
      source,
      lines: await source.reader.newest(count, mayGoOn),
      writtenAt: await writtenAt(currentLog(records.directory(source.record.id), source.stream)),
    })),
  );
  read.sort((a, b) => a.writtenAt - b.writtenAt);
  const total = read.reduce((sum, { lines }) => sum + lines.length, 0);
  for (const { source, lines } of read) {
    const others = total - lines.length;
    const part = Math.max(Math.ceil(count / 2), count - others);
    for (const text of part < lines.length ? lines.slice(-part) : lines) yield line(source, text);
  }
}

async function* newLines(source: Source): AsyncGenerator<LogLine> {
  for (let more = true; more;) {
    const next = await source.reader.next();
    for (const text of next.lines) yield line(source, text);
    ({ more } = next);
  }
}

function line({ record, stream }: Source, text: string): LogLine {
  return { release: record.release, instance: record.id, stream, text };
}

async function writtenAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.mtimeMs ?? 0;
}
