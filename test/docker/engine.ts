// The container engine that tests stand on: the one of this machine, or one that the test run starts for itself where it may.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export const engineSocket = process.env['SLUICE_TEST_DOCKER_SOCKET'] ?? '/var/run/docker.sock';

/** How the test run tells its test files why it could not start an engine. */
const whyVariable = 'SLUICE_TEST_NO_ENGINE';

/** Why tests with containers are left out; false: they are not. */
export async function noEngine(): Promise<string | false> {
  if (await answers(engineSocket)) return false;
  return (
    process.env[whyVariable] ?? `missing: no container engine answers at ${engineSocket}; install and start docker.io`
  );
}

async function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const asked = request({ socketPath, path: '/_ping', timeout: 5_000 }, (response) => {
    response.resume();
    resolve(response.statusCode === 200);
  });
  asked.on('error', () => resolve(false));
  asked.on('timeout', () => asked.destroy());
  asked.end();
  return promise;
}

/** Undefined where it is not installed. */
export const dockerd = ['/usr/sbin/dockerd', '/usr/bin/dockerd'].find((path) => existsSync(path));

const patienceMs = 60_000;

/** In a container of its own an engine may often do everything but write firewall rules, and tests need none. */
const attempts = [[], ['--iptables=false', '--ip6tables=false']] as const;

/** Starts an engine where none answers, this is root and the program is there; resolves with what ends it again. */
export async function startEngine(): Promise<() => Promise<void>> {
  const nothing = async (): Promise<void> => {};
  if (await answers(engineSocket)) return nothing;
  if (dockerd === undefined) return nothing;
  if (process.getuid?.() !== 0) {
    process.env[whyVariable] = 'no container engine runs, and only root can start one';
    return nothing;
  }
  for (const options of attempts) {
    const end = await startWith(dockerd, options);
    if (end !== undefined) return end;
  }
  return nothing;
}

async function startWith(program: string, options: readonly string[]): Promise<(() => Promise<void>) | undefined> {
  const child = spawn(program, ['--host', `unix://${engineSocket}`, '--log-level', 'error', ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr.on('data', (part: Buffer) => (words = `${words}${part.toString()}`.slice(-2000)));
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const giveUpAt = performance.now() + patienceMs;
  while (child.exitCode === null && performance.now() < giveUpAt) {
    if (await answers(engineSocket)) {
      return async () => {
        child.kill('SIGTERM');
        await ended;
      };
    }
    await sleep(200);
  }
  child.kill('SIGKILL');
  await ended;
  process.env[whyVariable] = `the container engine cannot be started here: ${words.trim().split('\n').at(-1) ?? ''}`;
  return undefined;
}
