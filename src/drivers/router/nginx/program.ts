// Runs NGINX's own commands: test, dump, reload.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

import { Failure } from '../../../base/failure.ts';
import type { NginxRouterSpec } from '../../../core/plan/spec.ts';

const runMs = 30_000;
const dumpBytesMax = 64 * 1024 * 1024;
const longestWords = 2000;

interface Ran {
  readonly ok: boolean;
  /** It ended by itself, so nothing is missing from its output. */
  readonly whole: boolean;
  readonly output: string;
  /** What it said, bounded. */
  readonly words: string;
}

export class Program {
  readonly #spec: NginxRouterSpec;

  constructor(spec: NginxRouterSpec) {
    this.#spec = spec;
  }

  /** The whole configuration, file by file, as NGINX reads it. Rejects with `router.refused` and NGINX's words. */
  async dump(): Promise<string> {
    const ran = await this.#run(this.#nginx('-T'));
    if (!ran.ok) throw refused(ran.words, 'NGINX does not accept its own configuration as it is now.');
    return ran.output;
  }

  /** Rejects with `router.refused` and NGINX's words. */
  async test(): Promise<void> {
    const ran = await this.#run(this.#spec.commands?.test ?? this.#nginx('-t'));
    if (!ran.ok) throw refused(ran.words, 'NGINX does not accept the configuration.');
  }

  /** Asks for a reload; whether it happened, only NGINX itself can say. Rejects with `router.unreachable`. */
  async reload(): Promise<void> {
    const { pidFile, commands } = this.#spec;
    if (commands?.reload === undefined && pidFile !== undefined) return hangUp(pidFile);
    const ran = await this.#run(commands?.reload ?? this.#nginx('-s', 'reload'));
    if (ran.ok) return;
    throw new Failure('router.unreachable', `NGINX cannot be asked to reload: ${ran.words}`, {
      remedy: 'Start NGINX, or correct `router.nginx.commands.reload`.',
    });
  }

  /** Whether the container that NGINX is to run in does not run; false also where there is none to be named, or nobody can say. */
  async isContainerGone(): Promise<boolean> {
    const { container } = this.#spec;
    if (container === undefined) return false;
    const ran = await this.#run(['docker', 'container', 'ls', '--no-trunc', '--format', '{{.ID}} {{.Names}}']);
    if (!ran.ok) return false;
    const running = ran.output.split('\n').map((line) => line.split(/[\s,]+/));
    return !running.some(([id = '', ...names]) => id.startsWith(container) || names.includes(container));
  }

  /** What a program says in the place where NGINX runs, such as the container, even if it fails in part; empty where it was cut off. */
  async look(command: readonly string[]): Promise<string> {
    const ran = await this.#run(this.#there(command));
    return ran.whole ? ran.output : '';
  }

  #nginx(...options: readonly string[]): readonly string[] {
    return this.#there([...this.#spec.program, ...options]);
  }

  #there(command: readonly string[]): readonly string[] {
    const { container } = this.#spec;
    return container === undefined ? command : ['docker', 'exec', container, ...command];
  }

  #run([file = '', ...options]: readonly string[]): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const environment = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/local/sbin`, LANG: 'C.UTF-8' };
      const limits = {
        timeout: runMs,
        maxBuffer: dumpBytesMax,
        env: { ...environment, ...dockerVariables() },
        cwd: '/',
      };
      execFile(file, options, limits, (error, stdout, stderr) => {
        if (error !== null && error.code === 'ENOENT') {
          reject(noProgram(file));
          return;
        }
        const words = wordsOf(`${stderr}\n${error !== null && error.killed === true ? 'It did not end in time.' : ''}`);
        const whole = error === null || typeof error.code === 'number';
        resolve({ ok: error === null, whole, output: stdout, words: words === '' ? wordsOf(stdout) : words });
      });
    });
  }
}

/** By these the docker program finds its daemon. */
function dockerVariables(): Record<string, string> {
  const names = ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY', 'HOME'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] ?? '']])),
  );
}

async function hangUp(pidFile: string): Promise<void> {
  const pid = await pidIn(pidFile);
  try {
    if (pid === undefined) throw new Error('it has no pid in it');
    process.kill(pid, 'SIGHUP');
  } catch (error) {
    throw new Failure('router.unreachable', `NGINX cannot be asked to reload: ${wordsOf(String(error))}`, {
      at: pidFile,
      remedy: 'Start NGINX, or correct `router.nginx.pidFile`.',
      cause: error,
    });
  }
}

/** Undefined where there is no such file or no pid in it. */
export async function pidIn(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'latin1').catch(() => '');
  const pid = Number(text.trim().slice(0, 20));
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

/** The last of what a program said, on few lines and without control characters. */
export function wordsOf(text: string): string {
  const lines = text
    .replaceAll(/[^\P{Cc}\n]/gu, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const words = lines.join('; ');
  return words.length > longestWords ? `…${words.slice(-longestWords)}` : words;
}

export function refused(words: string, what: string): Failure {
  return new Failure('router.refused', `${what} It says: ${words}`, {
    remedy: 'Correct what NGINX names; its former configuration goes on serving.',
  });
}

function noProgram(file: string): Failure {
  return new Failure('router.unreachable', `There is no program ${JSON.stringify(file)} to reach NGINX by.`, {
    at: 'router.nginx',
    remedy: 'Install it, or name NGINX’s program under `router.nginx.program`.',
  });
}
