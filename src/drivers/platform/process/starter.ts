// Starts instances so that a controller killed at any moment leaves none that the next one does not find.

import { randomBytes } from 'node:crypto';
import type { InstanceGroup } from '../../../core/instance.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ExitWatch } from './exit-watch.ts';
import { choosePort, type PortRange } from './free-port.ts';
import type { InstanceRecord } from './instance-record.ts';
import type { InstanceRecords } from './instance-records.ts';
import { launch } from './launch.ts';
import type { Preparation } from './preparation.ts';
import { endGroups } from './process-group.ts';
import type { ProcessTable } from './process-table.ts';

export type StartStep = 'intent written' | 'process started' | 'process recorded';

export interface StarterParts {
  readonly records: InstanceRecords;
  readonly exits: ExitWatch;
  readonly table: ProcessTable;
  readonly clock: Clock;
  readonly ports: PortRange;
  readonly onStep: (step: StartStep) => void;
}

/** Use it under the lock of the state directory only. */
export class Starter {
  readonly #parts: StarterParts;

  constructor(parts: StarterParts) {
    this.#parts = parts;
  }

  async startNew(group: InstanceGroup, preparation: Preparation): Promise<void> {
    const { scope, release, deployment } = group;
    const suffix = randomBytes(3).toString('hex');
    const id = `${release.id.replace('@', '-')}-${suffix}`;
    const port = await this.#port();
    try {
      await this.#start(group, preparation, {
        version: 1,
        id,
        scope,
        release: release.id,
        deployment,
        port,
        restarts: 0,
      });
    } catch (error) {
      await this.#parts.records.remove(id);
      throw error;
    }
  }

  async startAgain(record: InstanceRecord, group: InstanceGroup, preparation: Preparation): Promise<void> {
    // What the ended process left running would hold its port.
    await endGroups(this.#parts.table, this.#parts.clock, [record], 0);
    const port = await this.#port(record);
    const { process: _, ...rest } = record;
    try {
      await this.#start(group, preparation, { ...rest, port, restarts: record.restarts + 1 });
      this.#parts.exits.forget(record.token);
    } catch (error) {
      await this.#parts.records.write(record);
      throw error;
    }
  }

  async #port(own?: InstanceRecord): Promise<number> {
    const others = (await this.#parts.records.all()).filter(
      (record) => record.phase !== 'ended' && record.id !== own?.id,
    );
    return choosePort(this.#parts.ports, new Set(others.map((record) => record.port)), own?.port);
  }

  /**
   * Intent first, then the process, then the process's name. Whenever the controller is killed, the next one finds a record of
   * everything that may run, and the process by the token in its environment.
   */
  async #start(
    group: InstanceGroup,
    preparation: Preparation,
    record: Omit<InstanceRecord, 'phase' | 'token' | 'startedAt'>,
  ): Promise<void> {
    const token = randomBytes(16).toString('hex');
    const intent: InstanceRecord = { ...record, phase: 'starting', token, startedAt: this.#parts.clock.now() };
    await this.#parts.records.write(intent);
    this.#parts.onStep('intent written');
    const placement = { scope: group.scope, release: group.release, instance: record.id, token, port: record.port };
    const { pid, exit } = await launch(preparation, placement, this.#parts.records.directory(record.id));
    this.#parts.onStep('process started');
    this.#parts.exits.watch(record.id, token, exit);
    const entry = await this.#parts.table.entry(pid);
    // A process that is gone before it could be looked at has no start time, and never will be taken for another one.
    const identity = { pid, startTime: entry?.startTime ?? 'unknown', boot: await this.#parts.table.boot() };
    try {
      await this.#parts.records.write({ ...intent, phase: 'started', process: identity });
    } catch (error) {
      // Nobody would know of it.
      await endGroups(this.#parts.table, this.#parts.clock, [{ ...intent, process: identity }], 0);
      throw error;
    }
    this.#parts.onStep('process recorded');
  }
}
