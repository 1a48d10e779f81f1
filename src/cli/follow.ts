// Follows a deployment to its end, or until it waits for a person: shows it, survives a server that restarts, and heeds Ctrl-C.

import { Failure, failureData } from '../base/failure.ts';
import type { ExitName } from '../base/failure-catalogue.ts';
import type { EventRecord } from '../core/rollout/record.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import { isFinal, isWaiting, type Status } from '../core/rollout/status.ts';
import type { Connection, LiveNumbers } from './context.ts';
import { codeOf, codeOfClosedOutput, exitOfStatus } from './exit.ts';
import { createInterruption, type Interruption } from './interruption.ts';
import { createPresenter, type Presenter, type Seen } from './presenter.ts';
import { stepKey } from './render/progress.ts';
import { isDrawable, type Session } from './session.ts';

export interface FollowOptions {
  /** Whether this process carries the deployment out where there is no server, and so has to bring it to a safe state. */
  readonly responsible: boolean;
  /** Whether to stay while it waits for a person. */
  readonly stay: boolean;
  /** Show what happened before, too. */
  readonly fromBeginning: boolean;
  /** What the state in which it ended means; undefined: as `deploy` means it. */
  readonly exitOf?: ((status: Status) => ExitName) | undefined;
}

/** Resolves with the exit code. */
export async function follow(
  session: Session,
  connection: Connection,
  deployment: Rollout,
  options: FollowOptions,
): Promise<number> {
  const presenter = createPresenter(session, connection.mode === 'server');
  const interruption = createInterruption({
    session,
    connection,
    deployment,
    responsible: options.responsible && connection.mode === 'local',
    note: (text) => presenter.note(text),
    leave: () => presenter.leave(),
  });
  const follower = new Follower({ session, connection, presenter, interruption, options }, deployment);
  try {
    return await follower.run();
  } finally {
    presenter.leave();
    interruption.end();
  }
}

/** Whether a person or this process itself has a reason to stay while the deployment waits. */
export function staysWhileWaiting(session: Session, connection: Connection, detach: boolean): boolean {
  return !detach && (connection.mode === 'local' || isDrawable(session));
}

interface Parts {
  readonly session: Session;
  readonly connection: Connection;
  readonly presenter: Presenter;
  readonly interruption: Interruption;
  readonly options: FollowOptions;
}

/** How long a server may be away before following it is given up, and how often it is asked meanwhile. */
const awayMs = 120_000;
const askEveryMs = 1000;
const tickEveryMs = 500;

class Follower {
  readonly #parts: Parts;
  readonly #times = new Map<string, number>();
  #rollout: Rollout;
  #live: LiveNumbers | undefined;
  #latest: EventRecord | undefined;
  #sequence = 0;
  /** The state that the records led to. What is asked for beside them may be ahead; nothing is passed over for that. */
  #reached: Status;
  #away = false;
  #began = false;

  constructor(parts: Parts, rollout: Rollout) {
    this.#parts = parts;
    this.#rollout = rollout;
    this.#reached = rollout.status;
  }

  async run(): Promise<number> {
    const { interruption } = this.#parts;
    const ticking = this.#tick(interruption.signal);
    try {
      await this.#followToEnd();
      await interruption.settled();
    } finally {
      interruption.stop();
      await ticking;
    }
    return this.#result();
  }

  /** Reads the stream, and takes it up again when it breaks off, until nothing is left to follow. */
  async #followToEnd(): Promise<void> {
    const { session, interruption } = this.#parts;
    let giveUpAt = Infinity;
    while (!this.#isOver()) {
      try {
        if (!this.#began) await this.#begin();
        await this.#read();
        giveUpAt = Infinity;
      } catch (thrown) {
        // What ends while the deployment is brought back takes the stream with it; how that went, `settled` says.
        if (interruption.signal.aborted || interruption.settling) return;
        if (failureData(thrown).code !== 'server.unreachable') throw thrown;
        const now = session.context.now();
        if (now >= giveUpAt) throw gaveUp(thrown);
        if (giveUpAt === Infinity) giveUpAt = now + awayMs;
        this.#setAway(true);
      }
      if (!this.#isOver()) await session.context.sleep(askEveryMs, interruption.signal);
    }
  }

  /** Shows where it stands, and begins behind the records that are not to be shown. */
  async #begin(): Promise<void> {
    const { presenter, options } = this.#parts;
    if (!options.fromBeginning) {
      const detail = await this.#parts.connection.client.detail(this.#rollout.id);
      this.#take(detail.rollout);
      this.#latest = detail.records.at(-1);
      this.#sequence = this.#latest?.sequence ?? 0;
      this.#reached = this.#latest?.to ?? detail.rollout.status;
    }
    this.#began = true;
    presenter.begin(this.#seen());
  }

  async #read(): Promise<void> {
    const { connection, presenter, interruption } = this.#parts;
    const query = { deployment: this.#rollout.id, after: this.#sequence };
    if (this.#isOver()) return;
    for await (const item of connection.client.stream(query, interruption.signal)) {
      this.#setAway(false);
      if (item.kind === 'live') {
        this.#live = item.live;
        presenter.live(item.live, this.#seen());
      } else await this.#takeRecord(item.record);
      if (this.#isOver()) return;
    }
  }

  async #takeRecord(record: EventRecord): Promise<void> {
    this.#sequence = Math.max(this.#sequence, record.sequence);
    this.#latest = record;
    this.#reached = record.to;
    if (record.from !== record.to) this.#live = undefined;
    this.#take(await this.#newest(record));
    this.#parts.presenter.record(record, this.#seen());
  }

  /** The whole state after a record; where it can no longer be asked for, the state before with what the record tells. */
  async #newest(record: EventRecord): Promise<Rollout> {
    if (record.version < this.#rollout.version) return this.#rollout;
    try {
      return (await this.#parts.connection.client.detail(record.deployment)).rollout;
    } catch (thrown) {
      if (!this.#parts.interruption.settling) throw thrown;
      return { ...this.#rollout, status: record.to, version: record.version, at: record.at };
    }
  }

  #take(rollout: Rollout): void {
    if (rollout.version < this.#rollout.version) return;
    this.#rollout = rollout;
    if (!this.#times.has(stepKey(rollout))) this.#times.set(stepKey(rollout), rollout.at);
  }

  #setAway(away: boolean): void {
    if (this.#away === away) return;
    this.#away = away;
    this.#parts.presenter.note(
      away ? 'The server does not answer; asking again until it does.' : 'The server answers again.',
    );
  }

  #seen(): Seen {
    const { interruption } = this.#parts;
    const note = this.#away ? 'The server does not answer; asking again.' : interruption.hint;
    return { rollout: this.#rollout, live: this.#live, latest: this.#latest, times: this.#times, note };
  }

  #isOver(): boolean {
    const { interruption, options } = this.#parts;
    if (interruption.signal.aborted || isFinal(this.#reached)) return true;
    // A pause that was told of may be over already.
    const waits = isWaiting(this.#reached) && isWaiting(this.#rollout.status);
    return waits && !options.stay && !interruption.settling;
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const { session, presenter } = this.#parts;
    while (!signal.aborted) {
      await session.context.sleep(tickEveryMs, signal);
      if (!signal.aborted && this.#began) presenter.tick(this.#seen());
    }
  }

  #result(): number {
    const { interruption, presenter, options, session } = this.#parts;
    const status = this.#reached;
    const known = isFinal(status) || (isWaiting(status) && !interruption.interrupted);
    if (!known) {
      presenter.leave();
      interruption.sayFarewell();
      return session.context.stdoutGone.aborted ? codeOfClosedOutput : interruption.code;
    }
    const exitCode = codeOf((options.exitOf ?? exitOfStatus)(status));
    presenter.end(this.#seen(), exitCode);
    return exitCode;
  }
}

function gaveUp(thrown: unknown): Failure {
  const { message, at, remedy } = failureData(thrown);
  return new Failure('server.unreachable', `${message}; what became of the deployment is not known`, {
    at,
    remedy: `${remedy} Then look with \`sluice status\`.`,
    cause: thrown,
  });
}
