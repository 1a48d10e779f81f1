// The world of the demo: what every act has at hand, and what it leaves for the summary.

import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Look } from '../cli/render/look.ts';
import { type Client, createClient } from '../client/client.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { DeploymentDetail } from '../engine/controller.ts';
import { type Load, startLoad } from './load.ts';
import { renderAct, renderCommand, renderResult, spoken, trafficWords } from './narration.ts';
import type { Programs, RunningServer } from './programs.ts';
import { scope } from './scope.ts';
import type { Promised, Summary } from './summary.ts';
import { nothing, since, type Totals } from './tally.ts';

export interface WorldOptions {
  readonly programs: Programs;
  /** The directory with a directory per version. */
  readonly shop: string;
  readonly servicePort: number;
  readonly signal: AbortSignal;
  readonly look: () => Look;
  readonly print: (lines: readonly string[]) => void;
  /** Whether somebody reads along and needs a moment now and then. */
  readonly read: boolean;
}

const visitors = 8;
const requestsPerSecond = 200;
const readingMs = 1500;
const patienceMs = 60_000;
const askEveryMs = 50;

export class World {
  readonly #options: WorldOptions;
  readonly promises: Promised[] = [];
  /** What acts found out for the summary. */
  found: Pick<Summary, 'backMs' | 'rollbackMs' | 'withoutController'> = {};
  #server: RunningServer | undefined;
  #client: Client | undefined;
  #load: Load | undefined;

  constructor(options: WorldOptions) {
    this.#options = options;
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error('the server does not run');
    return this.#client;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** Of all requests so far. */
  totals(): Totals {
    return this.#load?.totals() ?? nothing;
  }

  beginLoad(): void {
    this.#load = startLoad({ port: this.#options.servicePort, visitors, requestsPerSecond });
  }

  async startServer(): Promise<RunningServer> {
    this.#command('shop', 'sluice server --listen 127.0.0.1:0 &');
    await this.#client?.close();
    this.#server = await this.#options.programs.server(this.signal);
    this.#client = createClient({ socket: this.#server.socket });
    return this.#server;
  }

  /** As `kill -9` does. */
  async killServer(): Promise<void> {
    if (this.#server === undefined) return;
    this.#command('shop', `kill -9 ${this.#server.pid}`);
    await this.#server.kill();
  }

  /** Ends the visitors first, so that nobody sees the rest go. */
  async end(): Promise<void> {
    await this.#load?.stop();
    await this.#client?.close();
    await this.#server?.end();
  }

  /** Runs a command of Sluice in a version's directory, as a person would; resolves with its exit code. */
  async sluice(version: string, words: readonly string[]): Promise<number> {
    this.#command(join('shop', version), ['sluice', ...words].map(quoted).join(' '));
    const code = await this.#options.programs.sluice(join(this.#options.shop, version), words, this.signal);
    this.#options.print(['']);
    return code;
  }

  /** The newest deployment with its records. */
  async newest(): Promise<DeploymentDetail> {
    const [newest] = await this.client.history({ scope, limit: 1 });
    if (newest === undefined) throw new Error('no deployment was recorded');
    return this.client.detail(newest.id);
  }

  async active(): Promise<Rollout | undefined> {
    return (await this.client.status(scope))[0]?.active;
  }

  /** Resolves when the condition holds. */
  async until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    const giveUpAt = performance.now() + patienceMs;
    while (!(await holds())) {
      if (performance.now() > giveUpAt) throw new Error(`waited ${patienceMs / 1000} s in vain: ${what}`);
      await this.sleep(askEveryMs);
    }
  }

  async sleep(durationMs: number): Promise<void> {
    await wait(durationMs, undefined, { signal: this.signal });
  }

  async act(position: string, title: string, words: string): Promise<void> {
    this.#options.print(renderAct(position, title, words, this.#options.look()));
    if (this.#options.read) await this.sleep(readingMs);
  }

  say(...texts: readonly string[]): void {
    this.#options.print(spoken(texts, this.#options.look()));
  }

  /** Remembers whether what was promised came true, and says so. */
  promise(kept: boolean, words: string): void {
    this.promises.push({ words, kept });
    this.#options.print(renderResult(kept, words, this.#options.look()));
  }

  /** Says what the visitors saw since `before`. */
  sayTraffic(when: string, before: Totals): void {
    const meanwhile = since(before, this.totals());
    this.#options.print(renderResult(meanwhile.failed === 0, trafficWords(when, meanwhile), this.#options.look()));
  }

  #command(directory: string, line: string): void {
    this.#options.print(renderCommand(directory, line, this.#options.look()));
  }
}

/** As it would be typed in a shell. */
function quoted(word: string): string {
  return /^[\w./:=@%,-]+$/.test(word) ? word : `"${word}"`;
}
