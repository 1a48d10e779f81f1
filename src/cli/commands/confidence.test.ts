import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { canary, planWith, release } from '../../../test/engine/specs.ts';
import type { Confidence } from '../../core/decision/confidence.ts';
import type { DeployRequest } from '../../engine/controller.ts';
import type { Client } from '../context.ts';
import { type Ran, ran } from '../fixture-context.ts';

let cwd = '';

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'sluice-confidence-'));
});

afterEach(() => rmSync(cwd, { recursive: true }));

function configure(confidence: string): void {
  const text = `service: shop
release: { directory: ./dist, command: node server.js }
router: { embedded: { listen: 18080 } }
strategy: canary
${confidence}`;
  writeFileSync(join(cwd, 'sluice.yaml'), text);
}

/** A controller that plans as a real one would, and remembers what it was asked. */
function planning(asked: DeployRequest[], observed: Parameters<typeof planWith>[1] = {}): Partial<Client> {
  return {
    status: async () => [],
    history: async () => [],
    plan: async (request) => {
      asked.push(request);
      const confidence = { release: request.facts ?? {}, past: ['held', 'held'] as const };
      const plan = planWith({ strategy: canary, confidence: request.spec.confidence }, { confidence, ...observed });
      return { plan, digest: 'sha256:1' };
    },
  };
}

async function scored(...argv: readonly string[]): Promise<{ call: Ran; asked: readonly DeployRequest[] }> {
  const asked: DeployRequest[] = [];
  return { call: await ran(['confidence', ...argv], { cwd, client: planning(asked) }), asked };
}

test('every point at which a deployment would ask has its score, with factors and reasons', async () => {
  configure('confidence: { criticality: low, reports: { tests: junit.xml } }\n');
  writeFileSync(join(cwd, 'junit.xml'), '<testsuite><testcase/><testcase/></testsuite>');
  const { call, asked } = await scored('--json');
  const { confidence } = JSON.parse(call.stdout) as { confidence: readonly Confidence[] };
  assert.deepEqual(
    confidence.map(({ point }) => point),
    ['beforeTraffic', 'beforePromotion'],
  );
  const safety = confidence[0]?.factors.find(({ name }) => name === 'safety');
  assert.deepEqual([safety?.value, safety?.reason], [100, '2 tests passed']);
  assert.deepEqual(asked[0]?.facts?.safety, { tests: { total: 2, failed: 0, skipped: 0 } });
  assert.equal(asked[0]?.spec.confidence?.criticality, 'low');
});

test('in words it says what would happen, and what git could not say', async () => {
  configure('');
  const { call } = await scored();
  assert.match(call.stdout, /^\? confidence [\d.]+ of 100 before traffic: asks a person \(80 to go on, 60 to ask\)/);
  assert.match(call.stdout, /test coverage +50 +13 % {2}no coverage of tests was given; counts as 50/);
  assert.match(call.stderr, /what changed is not known/);
  assert.equal(call.exitCode, 3);
});

test('the exit code says what would happen', async () => {
  configure('confidence: { goOn: 0, ask: 0 }\n');
  assert.equal((await scored()).call.exitCode, 0);
  configure('confidence: { goOn: 100, ask: 100 }\n');
  assert.equal((await scored()).call.exitCode, 1);
});

test('for a release that is stable already no score is asked for', async () => {
  configure('');
  const client = planning([], { candidate: release('old') });
  const { stdout, exitCode } = await ran(['confidence'], { cwd, client });
  assert.match(stdout, /no score is asked for/);
  assert.equal(exitCode, 0);
});

test('plan sends the facts along where a score is asked for, and looks at nothing where none is', async () => {
  const asked: DeployRequest[] = [];
  configure('confidence: { reports: { summary: summary.json } }\n');
  writeFileSync(join(cwd, 'summary.json'), '{"build":"passed"}');
  await ran(['plan'], { cwd, client: planning(asked) });
  configure('confidence: off\n');
  await ran(['plan'], { cwd, client: planning(asked) });
  assert.deepEqual(
    asked.map(({ facts, spec }) => [facts?.safety?.build, spec.confidence === undefined]),
    [
      ['passed', false],
      [undefined, true],
    ],
  );
});

test('a report that is named but not there stops everything before it begins', async () => {
  configure('confidence: { reports: { tests: gone.xml } }\n');
  const { exitCode, stderr } = await ran(['deploy'], { cwd, client: planning([]) });
  assert.equal(exitCode, 2);
  assert.match(stderr, /gone\.xml is not there/);
});
