// What is to be known of the running NGINX, out of its configuration; read when it is needed and kept.

import { isAbsolute, join } from 'node:path';

import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import { type DumpedFile, filesOf, isAlone, mainDirective } from './dump.ts';
import { includeInside } from './places.ts';
import { workersOf } from './processes.ts';
import { pidIn, type Program } from './program.ts';

export interface NginxFacts {
  /** Undefined where it cannot be seen from here, as in a container. */
  readonly pidFile: string | undefined;
  readonly errorLog: string | undefined;
  /** No server but those of the scope's include. */
  readonly alone: boolean;
}

const usualPidFiles = ['/run/nginx.pid', '/var/run/nginx.pid', '/usr/local/nginx/logs/nginx.pid'];

export class Facts {
  readonly #spec: NginxRouterSpec;
  readonly #program: Program;
  #known: Promise<NginxFacts> | undefined;

  constructor(spec: NginxRouterSpec, program: Program) {
    this.#spec = spec;
    this.#program = program;
  }

  get(): Promise<NginxFacts> {
    this.#known ??= this.#read();
    return this.#known;
  }

  learn(dumped: readonly DumpedFile[]): void {
    this.#known = this.#of(dumped);
  }

  forget(): void {
    this.#known = undefined;
  }

  /** The users that NGINX's workers run as; undefined: not known. */
  async users(): Promise<ReadonlySet<number> | undefined> {
    const { pidFile } = await this.get();
    const master = pidFile === undefined ? undefined : await pidIn(pidFile);
    const workers = master === undefined ? undefined : await workersOf(master);
    return workers === undefined || workers.length === 0 ? undefined : new Set(workers.map(({ user }) => user));
  }

  /** What cannot be read, because the configuration is broken just now, is not known. */
  async #read(): Promise<NginxFacts> {
    const dump = await this.#program.dump().catch(() => '');
    return this.#of(filesOf(dump));
  }

  async #of(dumped: readonly DumpedFile[]): Promise<NginxFacts> {
    const alone = dumped.length > 0 && isAlone(dumped, includeInside(this.#spec));
    if (this.#spec.container !== undefined) return { pidFile: undefined, errorLog: undefined, alone };
    const errorLog = absolute(mainDirective(dumped, 'error_log'));
    return { pidFile: await this.#pidFile(dumped), errorLog, alone };
  }

  async #pidFile(dumped: readonly DumpedFile[]): Promise<string | undefined> {
    const named = this.#spec.pidFile ?? absolute(mainDirective(dumped, 'pid'));
    if (named !== undefined) return named;
    for (const file of usualPidFiles) if ((await pidIn(file)) !== undefined) return file;
    return undefined;
  }
}

/** A relative path is relative to a prefix that was compiled in; it is not known. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? join(path) : undefined;
}
