// The process platform: instances are detached processes of this machine that outlive the controller and are found again.

import { join } from 'node:path';
import { type Log, silentLog } from '../../../base/log.ts';
import { releaseDirectory } from '../../../base/release-path.ts';
import type { Instance, InstanceGroup, LogLine } from '../../../core/instance.ts';
import type { RunSpec } from '../../../core/release.ts';
import { type Scope, sameScope } from '../../../core/scope.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { LogQuery, Platform, StopRequest } from '../../../ports/platform.ts';
import type { Variables } from '../environment-values.ts';
import { ExitWatch } from './exit-watch.ts';
import { defaultPorts, type PortRange } from './free-port.ts';
import { readLogs } from './instance-logs.ts';
import type { InstanceRecord } from './instance-record.ts';
import { InstanceRecords } from './instance-records.ts';
import { defaultLogLimits, type LogLimits, rotate, rotationDue, type Stream } from './log-files.ts';
import { prepare, prepareConditions } from './preparation.ts';
import { anythingRuns, endGroups } from './process-group.ts';
import { isRunning, type ProcessTable, systemProcessTable } from './process-table.ts';
import { findByToken } from './recovery.ts';
import { Starter, type StartStep } from './starter.ts';
import { StateLock } from './state-lock.ts';

export interface ProcessPlatformOptions {
  /** Where records and output of instances are kept; made when it is missing. One controller at a time writes to it. */
  readonly stateDirectory: string;
  /** The root of the release store. */
  readonly releasesDirectory: string;
  readonly clock: Clock;
  readonly log?: Log | undefined;
  /** The controller's environment; by default the real one. */
  readonly environment?: Variables | undefined;
  readonly ports?: PortRange | undefined;
  readonly logLimits?: LogLimits | undefined;
  /** Stopped instances per scope whose output is kept. */
  readonly keepStopped?: number | undefined;
  /** Called at each point of a start at which a kill of the controller makes a difference; for tests. */
  readonly onStep?: ((step: StartStep) => void) | undefined;
}

export function createProcessPlatform(options: ProcessPlatformOptions): Platform {
  return new Processes(options);
}

class Processes implements Platform {
  readonly #options: ProcessPlatformOptions;
  readonly #clock: Clock;
  readonly #environment: Variables;
  readonly #records: InstanceRecords;
  readonly #lock: StateLock;
  readonly #exits: ExitWatch;
  readonly #table: ProcessTable = systemProcessTable();
  readonly #starter: Starter;

  constructor(options: ProcessPlatformOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#environment = options.environment ?? process.env;
    this.#records = new InstanceRecords(options.stateDirectory);
    this.#lock = new StateLock(join(options.stateDirectory, 'lock'), options.clock);
    this.#exits = new ExitWatch(this.#records, options.clock, options.log ?? silentLog);
    this.#starter = new Starter({
      records: this.#records,
      exits: this.#exits,
      table: this.#table,
      clock: options.clock,
      ports: options.ports ?? defaultPorts,
      onStep: options.onStep ?? (() => {}),
    });
  }

  async check(run: RunSpec, directory: string | undefined): Promise<void> {
    if (directory === undefined) await prepareConditions(run, this.#environment);
    else await prepare(run, directory, this.#environment);
  }

  async ensure(group: InstanceGroup, signal?: AbortSignal): Promise<readonly Instance[]> {
    signal?.throwIfAborted();
    return this.#lock.hold(async () => {
      await this.#recover();
      await this.#records.removeWaste();
      const kept: InstanceRecord[] = [];
      for (const record of await this.#of(group)) kept.push(await this.#takeOver(record, group.deployment));
      const running = await Promise.all(kept.map((record) => this.#runs(record)));
      const exited = kept.filter((_, index) => running[index] !== true);
      await this.#startMissing(group, group.instances - (kept.length - exited.length), exited, signal);
      return this.#instances(await this.#of(group));
    }, signal);
  }

  async list(scope: Scope): Promise<readonly Instance[]> {
    let records = await this.#records.all();
    // A start is under way, or its controller was killed: who holds the lock knows which.
    if (records.some((record) => record.phase === 'starting')) {
      records = await this.#lock.hold(async () => {
        await this.#recover();
        return this.#records.all();
      });
    }
    const ours = records.filter((record) => sameScope(record.scope, scope));
    await this.#rotate(ours);
    return this.#instances(ours);
  }

  async stop(request: StopRequest): Promise<void> {
    const ending = await this.#lock.hold(async () => {
      await this.#recover();
      const asked = (await this.#records.all()).filter(
        (record) =>
          sameScope(record.scope, request.scope) &&
          record.release === request.release &&
          record.phase !== 'ended' &&
          (request.instances?.includes(record.id) ?? true),
      );
      // Written before the first signal: whoever looks from now on knows that they did not end by themselves.
      for (const record of asked) await this.#records.write({ ...record, phase: 'ending' });
      return asked;
    });
    if (ending.length === 0) return;
    // Without the lock: the grace may be long, and other releases must be started and stopped meanwhile.
    await endGroups(this.#table, this.#clock, ending, request.graceMs);
    await this.#lock.hold(() => this.#markEnded(new Set(ending.map((record) => record.id))));
  }

  async forget(scope: Scope): Promise<void> {
    await this.#lock.hold(async () => {
      await this.#recover();
      const ended = (await this.#records.all()).filter(
        (record) => sameScope(record.scope, scope) && record.phase === 'ended',
      );
      for (const { id } of ended) await this.#records.remove(id);
    });
  }

  async *logs(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogLine> {
    yield* readLogs(this.#records, this.#clock, query, signal);
  }

  /** Exited instances are started again before new ones are made. */
  async #startMissing(
    group: InstanceGroup,
    count: number,
    exited: readonly InstanceRecord[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (count <= 0) return;
    const directory = releaseDirectory(this.#options.releasesDirectory, group.release.id);
    const preparation = await prepare(group.release.run, directory, this.#environment);
    for (let number = 0; number < count; number += 1) {
      signal?.throwIfAborted();
      const again = exited[number];
      if (again === undefined) await this.#starter.startNew(group, preparation);
      else await this.#starter.startAgain(again, group, preparation);
    }
  }

  /** Records of the group's instances that nobody asked to end. */
  async #of({ scope, release }: InstanceGroup): Promise<readonly InstanceRecord[]> {
    return (await this.#records.all()).filter(
      (record) => sameScope(record.scope, scope) && record.release === release.id && record.phase === 'started',
    );
  }

  async #takeOver(record: InstanceRecord, deployment: string): Promise<InstanceRecord> {
    if (record.deployment === deployment) return record;
    const taken = { ...record, deployment };
    await this.#records.write(taken);
    return taken;
  }

  /**
   * Under the lock nobody is starting anything, so a record that says so is of a start that was cut off; a record of an ending
   * whose processes are gone is of an ending that was cut off.
   */
  async #recover(): Promise<void> {
    for (const record of await this.#records.all()) {
      if (record.phase === 'ending' && !(await this.#anythingRuns(record))) {
        await this.#records.write({ ...record, phase: 'ended', endedAt: this.#clock.now() });
      }
      if (record.phase !== 'starting') continue;
      const found = await findByToken(this.#table, this.#clock, record.token);
      await this.#records.write({ ...record, phase: 'started', process: found });
      this.#options.log?.write('warn', 'instance start was cut off', {
        instance: record.id,
        found: found !== undefined,
      });
    }
  }

  async #anythingRuns(record: InstanceRecord): Promise<boolean> {
    return anythingRuns(this.#table, record);
  }

  async #runs(record: InstanceRecord): Promise<boolean> {
    return record.process !== undefined && (await isRunning(this.#table, record.process));
  }

  /** The instances as they are now; those that Sluice ended are left out. */
  async #instances(records: readonly InstanceRecord[]): Promise<readonly Instance[]> {
    const seen = await Promise.all(records.map((record) => this.#instance(record)));
    return seen.filter((instance) => instance !== undefined);
  }

  async #instance(record: InstanceRecord): Promise<Instance | undefined> {
    if (record.phase === 'ended') return undefined;
    const { id, release, deployment, startedAt, restarts } = record;
    const address = { host: '127.0.0.1', port: record.port };
    const instance = { id, release, deployment, address, startedAt, restarts };
    if (await this.#runs(record)) return { ...instance, state: 'running' };
    if (record.phase === 'started') return { ...instance, state: 'exited', exit: await this.#exits.reason(record) };
    // Asked to end: it is there as long as anything of it runs.
    return (await this.#anythingRuns(record)) ? { ...instance, state: 'running' } : undefined;
  }

  async #markEnded(ids: ReadonlySet<string>): Promise<void> {
    const records = await this.#records.all();
    for (const record of records) {
      if (!ids.has(record.id) || record.phase !== 'ending') continue;
      await this.#records.write({ ...record, phase: 'ended', endedAt: this.#clock.now() });
      this.#exits.forget(record.token);
    }
    await this.#forgetOldest(records.filter((record) => ids.has(record.id)));
  }

  /** Keeps the output of the newest stopped instances of each scope, and removes that of older ones. */
  async #forgetOldest(stopped: readonly InstanceRecord[]): Promise<void> {
    const scope = stopped[0]?.scope;
    if (scope === undefined) return;
    const ended = (await this.#records.all())
      .filter((record) => record.phase === 'ended' && sameScope(record.scope, scope))
      .sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0));
    for (const record of ended.slice(this.#options.keepStopped ?? 20)) await this.#records.remove(record.id);
  }

  async #rotate(records: readonly InstanceRecord[]): Promise<void> {
    for (const { id } of records) {
      for (const stream of ['stdout', 'stderr'] as const) {
        try {
          await this.#rotateOne(this.#records.directory(id), stream);
        } catch (error) {
          // Whoever asked for the list must have it: instances are more important than their output.
          this.#options.log?.write('error', 'output of an instance not rotated', { instance: id, stream, error });
        }
      }
    }
  }

  async #rotateOne(directory: string, stream: Stream): Promise<void> {
    const limits = this.#options.logLimits ?? defaultLogLimits;
    if (!(await rotationDue(directory, stream, limits))) return;
    // Looked at again under the lock: another controller may have just done it.
    await this.#lock.hold(async () => {
      if (await rotationDue(directory, stream, limits)) await rotate(directory, stream, limits);
    });
  }
}
