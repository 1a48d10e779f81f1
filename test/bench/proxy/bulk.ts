// One gigabyte through a proxy, down and up, and how much its memory grows meanwhile.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const bulkBytes = 1024 * 1024 * 1024;

export interface BulkResult {
  readonly seconds: number;
  readonly growthBytes: number;
}

/** Resident memory of a process in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  if (status !== undefined) return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim()) * 1024;
}

/** Seconds of processor time that a process has used; undefined where /proc does not tell. */
export async function processorSeconds(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // User and system time, in hundredths of a second on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The highest memory while `work` is done, over that before. */
export async function measured(pid: number, work: () => Promise<void>): Promise<BulkResult> {
  const before = await residentBytes(pid);
  let highest = before;
  const timer = setInterval(() => {
    void residentBytes(pid).then((now) => {
      highest = Math.max(highest, now);
    });
  }, 25);
  const began = performance.now();
  await work();
  clearInterval(timer);
  return { seconds: (performance.now() - began) / 1000, growthBytes: highest - before };
}

export function download(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path: `/down?bytes=${bulkBytes}`, agent: false }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('error', reject);
      answer.on('end', () => (bytes === bulkBytes ? resolve() : reject(new Error(`${bytes} bytes came down`))));
    });
    asked.on('error', reject);
    asked.end();
  });
}

export function upload(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': bulkBytes };
    const asked = request({ port, host: '127.0.0.1', method: 'POST', path: '/up', headers, agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`status ${answer.statusCode}`)),
      );
    });
    asked.on('error', reject);
    const piece = Buffer.alloc(65_536);
    let left = bulkBytes;
    const write = (): void => {
      while (left > 0) {
        left -= piece.length;
        if (!asked.write(piece) && left > 0) {
          asked.once('drain', write);
          return;
        }
      }
      asked.end();
    };
    write();
  });
}
