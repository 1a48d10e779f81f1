// What instances of the memory platform wrote, and those who read along.

import type { LogLine } from '../../../core/instance.ts';
import type { ReleaseId } from '../../../core/release.ts';
import { type Scope, sameScope } from '../../../core/scope.ts';
import type { LogQuery } from '../../../ports/platform.ts';

/** Lines kept per instance. */
const kept = 1000;

interface Output {
  readonly scope: Scope;
  readonly id: string;
  readonly release: ReleaseId;
  readonly lines: LogLine[];
}

export class MemoryLog {
  readonly #outputs = new Map<string, Output>();
  readonly #followers = new Set<(line: LogLine, scope: Scope) => void>();

  /** Makes the output of an instance known; an instance that starts again goes on where it was. */
  open(instance: { readonly scope: Scope; readonly id: string; readonly release: ReleaseId }): void {
    const { scope, id, release } = instance;
    if (!this.#outputs.has(id)) this.#outputs.set(id, { scope, id, release, lines: [] });
  }

  write(instance: string, stream: LogLine['stream'], text: string): void {
    const output = this.#outputs.get(instance);
    if (output === undefined) return;
    const line: LogLine = { release: output.release, instance, stream, text };
    output.lines.push(line);
    if (output.lines.length > kept) output.lines.shift();
    for (const tell of this.#followers) tell(line, output.scope);
  }

  /** Drops the output of instances of the scope that are no longer there. */
  forget(scope: Scope, lives: (instance: string) => boolean): void {
    for (const output of this.#outputs.values())
      if (sameScope(output.scope, scope) && !lives(output.id)) this.#outputs.delete(output.id);
  }

  /** Stopped instances count only where their release or they themselves are asked for. */
  async *read(query: LogQuery, lives: (instance: string) => boolean, signal?: AbortSignal): AsyncIterable<LogLine> {
    const wanted = (line: { readonly release: ReleaseId; readonly instance: string }, scope: Scope): boolean =>
      sameScope(scope, query.scope) &&
      (query.release === undefined || line.release === query.release) &&
      (query.instance === undefined || line.instance === query.instance) &&
      (query.release !== undefined || query.instance !== undefined || lives(line.instance));

    const fresh: LogLine[] = [];
    let wake = (): void => {};
    const follower = (line: LogLine, scope: Scope): void => {
      if (wanted(line, scope)) fresh.push(line);
      wake();
    };
    const abort = (): void => wake();
    if (query.follow) this.#followers.add(follower);
    signal?.addEventListener('abort', abort);
    try {
      for (const output of this.#outputs.values()) {
        if (wanted({ release: output.release, instance: output.id }, output.scope))
          yield* newest(output, query.lastLines);
      }
      const ended = (): boolean => !query.follow || signal?.aborted === true;
      while (!ended()) {
        yield* fresh.splice(0);
        if (fresh.length === 0 && !ended()) await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#followers.delete(follower);
      signal?.removeEventListener('abort', abort);
    }
  }
}

function newest(output: Output, count: number): readonly LogLine[] {
  return count > 0 ? output.lines.slice(-count) : [];
}
