// A real `sluice server` in a process of its own, with a home of its own, and everything that has to be cleaned up behind it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { type Client, createClient } from '../../src/client/client.ts';
import { placesUnder } from '../../src/places.ts';
import { freePort } from '../free-port.ts';
import { systemClock } from '../../src/drivers/clock/system-clock.ts';
import { InstanceRecords } from '../../src/drivers/platform/process/instance-records.ts';
import { createProcessPlatform } from '../../src/drivers/platform/process/process-platform.ts';
import { removeTree } from '../../src/drivers/releases/directory/tree-copy.ts';
import { listProxies, removeProxy } from '../../src/drivers/router/embedded/driver.ts';
import type { DeploymentDetail } from '../../src/engine/controller.ts';
import type { DeploySpec } from '../../src/core/plan/spec.ts';
import type { EventRecord } from '../../src/core/rollout/record.ts';
import type { Rollout } from '../../src/core/rollout/rollout.ts';
import { isFinal } from '../../src/core/rollout/status.ts';
import { type Front, type FrontName, openFront } from './front.ts';
import { loadPlatform, type PlatformName } from './platforms.ts';
import { programPath } from '../package/program.ts';
import type { InstanceRecord, ReleaseFile } from './protocol.ts';

const endMs = 15_000;

export class Site {
  readonly client: Client;
  readonly directory: string;
  /** Where users reach the service. */
  readonly port: number;
  #server: ChildProcess;

  /** The router that is under load. */
  readonly front: Front;

  readonly platform: PlatformName;

  private constructor(directory: string, port: number, front: Front, platform: PlatformName) {
    this.front = front;
    this.platform = platform;
    this.directory = directory;
    this.port = port;
    this.#server = startServer(this.home);
    this.client = createClient({ socket: placesUnder(this.home).socket });
  }

  /** Rejects, with nothing left, when the server does not come up. */
  static async open(frontName: FrontName = 'embedded', platform: PlatformName = 'process'): Promise<Site> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-load-'));
    const port = await freePort();
    const front = await openFront(frontName, { home: join(directory, 'home'), port });
    await mkdir(join(directory, 'records'));
    const site = new Site(directory, port, front, platform);
    try {
      await listening(site.#server);
    } catch (error) {
      await site.close();
      throw error;
    }
    return site;
  }

  get home(): string {
    return join(this.directory, 'home');
  }

  /** Where instances write what they saw. */
  get records(): string {
    return join(this.directory, 'records');
  }

  /** A directory with a release of the service. */
  async release(file: ReleaseFile): Promise<string> {
    const directory = join(this.directory, 'releases', file.version);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'version.json'), JSON.stringify(file));
    return directory;
  }

  /** What the instances that were ended saw. */
  async readRecords(): Promise<readonly InstanceRecord[]> {
    const names = await readdir(this.records);
    return Promise.all(
      names.map(async (name) => JSON.parse(await readFile(join(this.records, name), 'utf8')) as InstanceRecord),
    );
  }

  /** Begins a deployment and follows it to its end. */
  async deploy(spec: DeploySpec, label: string): Promise<Rollout> {
    return this.ended(await this.client.deploy({ spec, label, actor: 'load@test' }));
  }

  async rollback(spec: DeploySpec): Promise<Rollout> {
    const request = { scope: spec.scope, reason: 'the load asks for it', actor: 'load@test' };
    return this.ended(await this.client.rollback(request));
  }

  /** The final state of a deployment. */
  async ended(rollout: Rollout): Promise<Rollout> {
    return this.when(rollout, ({ to }) => isFinal(to));
  }

  /** The state of a deployment as soon as there is such a record of it, or it has ended. */
  async when(rollout: Rollout, holds: (record: EventRecord) => boolean): Promise<Rollout> {
    const stop = new AbortController();
    try {
      // Judged by the records alone: a controller that is asked for the state again and again is not the one that is measured.
      for await (const item of this.client.stream({ deployment: rollout.id, after: 0 }, stop.signal)) {
        if (item.kind !== 'record' || !(holds(item.record) || isFinal(item.record.to))) continue;
        return (await this.client.detail(rollout.id)).rollout;
      }
      throw new Error(`the stream of ${rollout.id} ended before the deployment did`);
    } finally {
      stop.abort();
    }
  }

  async detail(rollout: Rollout): Promise<DeploymentDetail> {
    return this.client.detail(rollout.id);
  }

  /** As `kill -9` does, and at once another server in its place. */
  async killServer(): Promise<void> {
    const gone = once(this.#server, 'exit');
    this.#server.kill('SIGKILL');
    await gone;
    this.#server = startServer(this.home);
    await listening(this.#server);
  }

  /** Ends the server alone, as a person would; instances and proxy go on. */
  async endServer(): Promise<void> {
    await this.client.close();
    await end(this.#server);
  }

  /** Ends the server, the instances and the proxies, and removes everything. */
  async close(): Promise<void> {
    await this.endServer();
    await loadPlatform(this.platform).close?.(this);
    await removeRuntime(this.home);
    await this.front.close();
    await removeTree(this.directory);
  }
}

/** Ends all instances and proxies of a home, whatever they are busy with. */
async function removeRuntime(home: string): Promise<void> {
  const places = placesUnder(home);
  const { instances: stateDirectory, releases: releasesDirectory } = places;
  const platform = createProcessPlatform({ stateDirectory, releasesDirectory, clock: systemClock });
  // From the records themselves: a first deployment that failed has instances, but no proxy yet.
  for (const record of await new InstanceRecords(stateDirectory).all()) {
    await platform.stop({ scope: record.scope, release: record.release, instances: [record.id], graceMs: 0 });
  }
  for (const { scope } of await listProxies(places.proxies)) await removeProxy(places.proxies, scope, 0);
}

function startServer(home: string): ChildProcess {
  const words = [programPath, 'server', '--home', home, '--listen', '127.0.0.1:0', '--json'];
  return spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function listening(server: ChildProcess): Promise<void> {
  if (server.stdout === null) throw new Error('the server has no output');
  const lines = createInterface({ input: server.stdout });
  try {
    for await (const line of lines) if (line.includes('"listening"')) return;
  } finally {
    lines.close();
    server.stdout.resume();
  }
  throw new Error('the server ended before it listened');
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGTERM');
  const timer = setTimeout(() => server.kill('SIGKILL'), endMs);
  await gone;
  clearTimeout(timer);
}
