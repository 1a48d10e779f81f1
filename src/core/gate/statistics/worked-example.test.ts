// docs/gates.md works an example and lists the presets; this test computes both again from the page.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pooledLogFactorOfErrors } from './pooled.ts';
import { gatePresets, marginsAt, tuning } from './settings.ts';
import { errorSuspicions } from './suspicions.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/gates.md'), 'utf8');

interface Example {
  readonly candidate: { readonly requests: number; readonly errors: number };
  readonly stable: { readonly requests: number; readonly errors: number };
  readonly expected: number;
  readonly suspected: number;
  readonly failed: number;
  readonly stableFailed: number;
  readonly worked: number;
  readonly stableWorked: number;
  readonly factor: number;
  readonly stake: number;
  readonly after: number;
}

/** Whether `exact` is what the page prints, rounded as it is there. */
function printed(exact: number, shown: number): void {
  const decimals = String(shown).split('.')[1]?.length ?? 0;
  assert.equal(Number(exact.toFixed(decimals)), shown);
}

test('the worked example of docs/gates.md is what the gate computes', () => {
  const block = /```json\n(\{[^`]*"suspected"[^`]*\})\n```/.exec(page)?.[1];
  assert.ok(block !== undefined, 'the page has no example');
  const example = JSON.parse(block) as Example;
  const { candidate, stable, expected, suspected } = example;
  const share = candidate.requests / (candidate.requests + stable.requests);
  const failing = share * suspected + (1 - share) * expected;
  printed(suspected / failing, example.failed);
  printed(expected / failing, example.stableFailed);
  printed((1 - suspected) / (1 - failing), example.worked);
  printed((1 - expected) / (1 - failing), example.stableWorked);
  const factor = Math.exp(pooledLogFactorOfErrors(candidate, stable, suspected, expected));
  printed(factor, example.factor);
  const stake = ((tuning.startShare + tuning.stageShare) * gatePresets.default.capital.errors) / errorSuspicions;
  printed(stake, example.stake);
  printed(stake * factor, example.after);
  for (const shown of [example.failed, example.stableFailed, example.worked, example.stableWorked, example.factor]) {
    assert.ok(page.includes(`${shown}`), `the text does not say ${shown}`);
  }
});

test('the table of presets in docs/gates.md says what the presets are', () => {
  const row = (start: string): string[] => {
    const line = page.split('\n').find((text) => text.startsWith(`| ${start}`));
    assert.ok(line !== undefined, `no row "${start}"`);
    return line
      .split('|')
      .slice(2, -1)
      .map((cell) => cell.trim());
  };
  const presets = [gatePresets.default, gatePresets.strict, gatePresets.lenient, gatePresets['low-traffic']];
  assert.deepEqual(
    row('healthy candidate'),
    presets.map(({ alpha }) => `1 in ${Math.round(1 / alpha)}`),
  );
  assert.deepEqual(
    row('worse by the margin'),
    presets.map(({ beta }) => `1 in ${Math.round(1 / beta)}`),
  );
  assert.deepEqual(
    row('margin of errors'),
    presets.map((gate) => [250, 1500, 3500, 10_000].map((share) => marginsAt(gate, share).errors * 100).join(' / ')),
  );
  assert.deepEqual(
    row('latency of the first'),
    presets.map(({ warmUpMs }) => (warmUpMs === 0 ? 'none' : `${warmUpMs / 1000} s`)),
  );
  assert.deepEqual(
    row('failed requests before'),
    presets.map(({ minBadEvents }) => String(minBadEvents)),
  );
});
