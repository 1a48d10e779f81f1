import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFileLog } from './file-log.ts';

const clock = { now: () => Date.UTC(2026, 0, 2), sleep: async () => {} };

async function file(context: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-log-'));
  context.after(() => rm(root, { recursive: true, force: true }));
  return join(root, 'home', 'controller.log');
}

test('nothing in a line acts on the terminal that shows it, and the line means the same', async (context) => {
  const path = await file(context);
  const echoed: string[] = [];
  const log = createFileLog({ file: path, clock, level: 'info', echo: (line) => echoed.push(line) });
  const reason = 'clear \u001b[2J, also in one character \u009b2J, delete \u007f, line \u2028, backwards \u202e and \n';
  log.write('warn', 'a check failed', { reason });
  const text = await readFile(path, 'utf8');
  assert.equal(text, echoed.join(''));
  assert.match(text, /^[\x20-\x7e]+\n$/);
  assert.deepEqual(JSON.parse(text), {
    at: '2026-01-02T00:00:00.000Z',
    level: 'warn',
    message: 'a check failed',
    reason,
  });
});

test('only its owner can read the log', async (context) => {
  const path = await file(context);
  createFileLog({ file: path, clock, level: 'info' }).write('info', 'begin');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(dirname(path))).mode & 0o777, 0o700);
});
