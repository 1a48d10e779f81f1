// `sluice judge` as a process with little memory: logs of any length, and lines of any length.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { writeLog } from '../bench/judge/endless-log.ts';
import { programPath } from '../package/program.ts';

interface Answer {
  readonly verdict: string;
  readonly lines: number;
  readonly unreadableLines: number;
  readonly candidateRequests: number;
}

/** So little that a log of the tests cannot be kept, in MB. */
const heap = 24;

async function judgeWith(write: (to: Writable) => Promise<void>, ...argv: readonly string[]): Promise<Answer> {
  const program = [`--max-old-space-size=${heap}`, programPath, 'judge', '--json', ...argv];
  const child = spawn(process.execPath, program, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  let output = '';
  let complaint = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (complaint += data.toString().slice(0, 2000)));
  // a process that died of its memory is told by what it did not print
  child.stdin.on('error', () => undefined);
  await Promise.race([write(child.stdin), ended]);
  await ended;
  assert.notEqual(output, '', `no answer: ${complaint}`);
  return JSON.parse(output) as Answer;
}

describe('sluice judge', () => {
  it('judges a log larger than its memory', async () => {
    const lines = 400_000;
    const answer = await judgeWith((to) => writeLog(to, lines), '--whole');
    assert.deepEqual([answer.verdict, answer.lines, answer.unreadableLines], ['promote', lines, 0]);
  });

  it('reads past a line that is larger than its memory', async () => {
    const answer = await judgeWith(
      async (to) => {
        const piece = 'x'.repeat(1024 * 1024);
        for (let megabyte = 0; megabyte < 3 * heap; megabyte += 1) if (!to.write(piece)) await once(to, 'drain');
        to.write('\n');
        await writeLog(to, 100);
      },
      '--format',
      'trace',
    );
    assert.deepEqual([answer.lines, answer.unreadableLines], [101, 1]);
  });
});
