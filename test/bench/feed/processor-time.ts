// How much of the processors each part of the benchmark took, so that a rate that was not reached can be told from a busy machine.

import { readFile } from 'node:fs/promises';

import type { OwnNginx } from '../../programs/nginx.ts';

/** Microseconds, by the name of who took them. */
export type ProcessorTime = ReadonlyMap<string, number>;

export interface Parts {
  readonly nginx: OwnNginx;
  readonly instance: OwnNginx;
}

/** Since they were started. */
export async function processorTime({ nginx, instance }: Parts): Promise<ProcessorTime> {
  const [whole, main] = [process.cpuUsage(), process.threadCpuUsage()];
  const workers = await workersOf(nginx);
  const controller = main.user + main.system;
  return new Map([
    ...workers.map((us, index): [string, number] => [`NGINX ${index + 1}`, us]),
    ['instance', (await workersOf(instance)).reduce((sum, us) => sum + us, 0)],
    ['receiver', whole.user + whole.system - controller],
    ['controller', controller],
  ]);
}

/** Of each worker. */
async function workersOf(nginx: OwnNginx): Promise<readonly number[]> {
  const master = await nginx.pid();
  const children = await readFile(`/proc/${master}/task/${master}/children`, 'utf8');
  return Promise.all(
    children
      .trim()
      .split(' ')
      // The first number is nanoseconds on a processor.
      .map(async (pid) => Number((await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ')[0]) / 1000),
  );
}

/** Microseconds for each of so many answers, as one line, and how many answers a second this machine could give by that. */
export function perAnswer(from: ProcessorTime, to: ProcessorTime, answers: number, processors: number): string {
  const parts = [...to].map(([name, us]): [string, number] => [name, (us - (from.get(name) ?? 0)) / answers]);
  const all = parts.reduce((sum, [, us]) => sum + us, 0);
  return (
    `${parts.map(([name, us]) => `${name} ${us.toFixed(1)}`).join(', ')}; together ${all.toFixed(1)},` +
    ` which ${processors} processors could do ${((processors * 1e6) / all).toFixed(0)} times a second`
  );
}
