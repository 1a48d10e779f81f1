// `npm run bench:judge`: streams a log of 5 million requests through `sluice judge` and prints time and memory. `-- --lines N` changes the number.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeLog } from './judge/endless-log.ts';

const { values } = parseArgs({ options: { lines: { type: 'string', default: '5000000' } } });
const lines = Number(values.lines);
if (!Number.isInteger(lines) || lines < 10 || lines > 1e9)
  throw new Error('--lines takes a number from 10 to 1,000,000,000');

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const judge = spawn(process.execPath, [main, 'judge', '--json', '--whole', '-'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const ended = once(judge, 'close');
let output = '';
judge.stdout.on('data', (data: Buffer) => (output += data.toString()));

const start = performance.now();
let next = lines / 5;
const memories: Promise<string>[] = [];
await writeLog(judge.stdin, lines, (written) => {
  if (written < next) return;
  next += lines / 5;
  memories.push(memoryAt(written));
});
await ended;
const seconds = (performance.now() - start) / 1000;

for (const memory of memories) console.log(await memory);
const { verdict, atSeconds, lines: read } = JSON.parse(output) as { verdict: string; atSeconds: number; lines: number };
console.log(
  `${read} lines in ${seconds.toFixed(1)} s, ${Math.round(read / seconds)} a second; ${verdict} at ${atSeconds} s`,
);

/** Memory of the judging process now, and the most it had so far. */
async function memoryAt(written: number): Promise<string> {
  const status = await readFile(`/proc/${judge.pid}/status`, 'utf8');
  const megabytes = (name: string): string => {
    const kilobytes = Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
    return `${Math.round(kilobytes / 1024)} MB`;
  };
  return `after ${written} lines: ${megabytes('VmRSS')} resident, at most ${megabytes('VmHWM')} so far`;
}
