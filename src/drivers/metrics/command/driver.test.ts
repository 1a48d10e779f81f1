import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandSource } from '../../../core/metrics/source.ts';
import type { MetricOutcome } from '../../../core/metrics/question.ts';
import { contractValues, metricsContract, type Situation } from '../../../ports/metrics.contract.ts';
import { createCommandMetrics } from './driver.ts';

const secret = 'wHo-Goes-There-77';
const variables = { ...process.env, METRIC_TOKEN: secret, SLUICE_TOKEN: 'of the controller' };
const question = { query: 'queue {{service}}', values: contractValues };

async function directory(): Promise<{ readonly path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-m-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function source(workingDirectory: string, more: Partial<CommandSource> = {}): CommandSource {
  return {
    driver: 'command',
    command: ['./metric'],
    workingDirectory,
    environment: { TOKEN: { fromEnvironment: 'METRIC_TOKEN' } },
    withinMs: 10_000,
    ...more,
  };
}

async function script(place: string, text: string): Promise<void> {
  const file = join(place, 'metric');
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o700);
}

async function read(place: string, more: Partial<CommandSource> = {}): Promise<MetricOutcome> {
  const metrics = createCommandMetrics({ source: source(place, more), variables });
  return metrics.read(question, new AbortController().signal);
}

/** What a program does to bring a situation about. */
function doing(situation: Situation): string {
  if (typeof situation === 'number') return `echo ' ${situation}'`;
  const scripts: Partial<Record<Situation, string>> = {
    'timed-out': 'sleep 600',
    failed: 'echo "no such queue for $TOKEN" >&2; exit 3',
    'too-large': 'yes 1',
    empty: 'true',
    'not-finite': 'echo NaN',
    'not-a-number': 'echo "depth: $TOKEN"',
    several: 'echo 1 2',
  };
  return scripts[situation] ?? 'echo 1';
}

const never = {
  refused: 'a program takes what it is given or fails',
  unreadable: 'any text that is no number is not-a-number',
  incomplete: 'a program has no way to say so but to fail',
  stale: 'a program gives a number of now',
};

metricsContract(
  'the command source',
  async () => {
    const place = await directory();
    return {
      arrange: async (situation) => {
        await script(place.path, doing(situation));
        const changes: Partial<CommandSource> = {
          ...(situation === 'unreachable' ? { command: ['./nothing'] } : {}),
          ...(situation === 'misconfigured' ? { environment: { A: { fromFile: join(place.path, 'none') } } } : {}),
          ...(situation === 'timed-out' ? { withinMs: 300 } : {}),
        };
        return { metrics: createCommandMetrics({ source: source(place.path, changes), variables }), question };
      },
      until: (promise) => promise,
      close: () => place[Symbol.asyncDispose](),
    };
  },
  { never, secret },
);

test('a program finds what is asked about in variables, and nothing of the controller’s but a few', async () => {
  await using place = await directory();
  await script(place.path, 'env > seen; echo 1');
  await read(place.path, { environment: { REGION: 'eu', TOKEN: { fromEnvironment: 'METRIC_TOKEN' } } });
  const seen = await readFile(join(place.path, 'seen'), 'utf8');
  const lines = seen.split('\n').filter((line) => /^(?:SLUICE|METRIC|REGION|TOKEN)/.test(line));
  assert.deepEqual(lines.toSorted(), [
    'REGION=eu',
    'SLUICE_ENVIRONMENT=production',
    'SLUICE_QUERY=queue shop',
    'SLUICE_RELEASE=shop@0123456789ab',
    'SLUICE_SERVICE=shop',
    'SLUICE_WINDOW_SECONDS=60',
    `TOKEN=${secret}`,
  ]);
});

test('when its time is over everything that it started ends with it', async () => {
  await using place = await directory();
  await script(place.path, '(while true; do touch alive; sleep 0.05; done) & sleep 600');
  const outcome = await read(place.path, { withinMs: 500 });
  assert.deepEqual(outcome, { kind: 'none', reason: 'timed-out', words: 'it did not end within 0.5 s, and was ended' });
  await rm(join(place.path, 'alive'), { force: true });
  await sleep(300);
  assert.equal(existsSync(join(place.path, 'alive')), false);
});

test('numbers are read as people write them, and nothing else is one', async () => {
  await using place = await directory();
  const of = async (output: string): Promise<string> => {
    await script(place.path, `printf '%s' '${output}'`);
    const outcome = await read(place.path);
    return outcome.kind === 'number' ? String(outcome.value) : outcome.reason;
  };
  assert.equal(await of('12'), '12');
  assert.equal(await of('-.5e3\n'), '-500');
  assert.equal(await of('+Inf'), 'not-finite');
  assert.equal(await of('1e999'), 'not-finite');
  assert.equal(await of('0x10'), 'not-a-number');
  assert.equal(await of('1,5'), 'not-a-number');
  assert.equal(await of('12 ms'), 'not-a-number');
  assert.equal(await of('1\n2'), 'several');
  assert.equal(await of('true'), 'not-a-number');
});

test('a directory that is not there, and a program that may not run, are told', async () => {
  await using place = await directory();
  const missing = await read(place.path, { workingDirectory: join(place.path, 'none') });
  assert.ok(missing.kind === 'none' && missing.reason === 'unreachable', JSON.stringify(missing));
  await writeFile(join(place.path, 'metric'), 'echo 1');
  const forbidden = await read(place.path);
  assert.deepEqual(forbidden, { kind: 'none', reason: 'unreachable', words: './metric is not executable' });
});
