// Remembers why processes ended, as long as the controller that started them lives to see it.

import type { Log } from '../../../base/log.ts';
import { isCode } from '../../../base/system-error.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { InstanceRecord } from './instance-record.ts';
import type { InstanceRecords } from './instance-records.ts';

/** How long the news of an end may take after the process is gone. */
const newsMs = 2000;

const notWatched = 'not known: it ended while no controller was watching';

export class ExitWatch {
  readonly #records: InstanceRecords;
  readonly #log: Log;
  readonly #clock: Clock;
  /** Token of a start → why it ended. */
  readonly #watched = new Map<string, Promise<string>>();

  constructor(records: InstanceRecords, clock: Clock, log: Log) {
    this.#records = records;
    this.#log = log;
    this.#clock = clock;
  }

  /** Also writes the reason down, for controllers that did not start the process. */
  watch(id: string, token: string, exit: Promise<string>): void {
    this.#watched.set(token, exit);
    void exit.then(async (reason) => {
      try {
        await this.#records.writeExit(id, token, reason);
      } catch (error) {
        // Removed with its instance: nobody will ask.
        if (!isCode(error, 'ENOENT'))
          this.#log.write('warn', 'exit of an instance not recorded', { instance: id, error });
      }
    });
  }

  /** Why the last start of an instance ended. Ask only for one whose process is gone. */
  async reason(record: InstanceRecord): Promise<string> {
    const watched = this.#watched.get(record.token);
    const seen = watched === undefined ? undefined : await this.#soon(watched);
    return seen ?? (await this.#records.exit(record.id, record.token)) ?? notWatched;
  }

  /** Whoever lists instances must never wait for one of them. */
  async #soon(exit: Promise<string>): Promise<string | undefined> {
    const over = new AbortController();
    const late = this.#clock.sleep(newsMs, over.signal).then(() => undefined);
    try {
      return await Promise.race([exit, late]);
    } finally {
      over.abort();
    }
  }

  forget(token: string): void {
    this.#watched.delete(token);
  }
}
