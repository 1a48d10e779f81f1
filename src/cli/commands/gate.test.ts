import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ran } from '../fixture-context.ts';
import { columnsOf } from '../render/text.ts';

interface Answer {
  readonly candidatePerSecond: number;
  readonly aborts: readonly { readonly errorRate: number; readonly requests?: number; readonly seconds?: number }[];
  readonly pass: { readonly requests: number; readonly seconds: number };
  readonly costs: readonly { readonly change: string; readonly requestsToPass: number }[];
}

async function explained(...argv: readonly string[]): Promise<Answer> {
  const { stdout, exitCode } = await ran(['gate', 'explain', '--json', ...argv]);
  assert.equal(exitCode, 0, stdout);
  return JSON.parse(stdout) as Answer;
}

test('gate explain says how many requests and how long it takes, and what settings cost', async () => {
  const { candidatePerSecond, aborts, pass, costs } = await explained('--rate', '6000/m', '--errors', '5%,1%,0.1%');
  assert.equal(candidatePerSecond, 10);
  assert.deepEqual(
    aborts.map(({ requests }) => requests !== undefined),
    [true, true, false],
  );
  const [five, one] = aborts.map(({ requests = 0 }) => requests) as [number, number];
  assert.ok(five > 50 && five < 100 && one > 450 && one < 850, `${five} ${one}`);
  assert.equal(aborts[0]?.seconds, five / 10);
  const cost = (change: string): number =>
    costs.find((one) => one.change === change)?.requestsToPass ?? assert.fail(change);
  assert.equal(cost('as it is'), pass.requests);
  assert.equal(cost('preset default'), pass.requests);
  assert.ok(cost('half the margins') > pass.requests && cost('twice the margins') < pass.requests);
  assert.ok(cost('preset strict') > cost('preset lenient'));
});

test('a share, a preset and single settings change the answer', async () => {
  const usual = await explained('--rate', '10/s');
  const larger = await explained('--rate', '10/s', '--weight', '50%');
  const wide = await explained('--rate', '10/s', '--weight', '50%', '--preset', 'low-traffic');
  assert.ok(larger.pass.requests > usual.pass.requests);
  assert.ok(wide.pass.requests < larger.pass.requests / 5);
  const careful = await explained('--rate', '10/s', '--false-aborts', '0.01%');
  assert.ok((careful.aborts[3]?.requests ?? 0) > (usual.aborts[3]?.requests ?? 0));
});

test('on a terminal it is told in sentences and a table that fit', async () => {
  const { stdout, exitCode } = await ran(['gate', 'explain', '--rate', '100/s'], { terminal: true, columns: 60 });
  assert.equal(exitCode, 0);
  assert.match(stdout, /at 10 % of traffic the candidate gets 10 requests a\s+second/);
  assert.match(stdout, /^preset strict +\d/m);
  assert.ok(stdout.split('\n').every((line) => columnsOf(line) <= 60));
});

const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no rate', [], /--rate/],
  ['a rate without its unit', ['--rate', '100'], /"100" is not a rate of requests/],
  ['a rate of nothing', ['--rate', '0/s'], /"0\/s" is not a rate/],
  ['a share of everything', ['--rate', '1/s', '--weight', '100%'], /"100%" is not a share/],
  ['an error rate in words', ['--rate', '1/s', '--errors', 'few'], /"few" is not an error rate/],
  ['a stable that always fails', ['--rate', '1/s', '--stable-errors', '100%'], /no comparison is possible/],
  [
    'too many error rates',
    ['--rate', '1/s', '--errors', Array.from({ length: 21 }, () => '1%').join(',')],
    /21 error rates/,
  ],
];

for (const [what, argv, message] of wrong) {
  test(`${what} is refused, in words`, async () => {
    const { exitCode, stderr } = await ran(['gate', 'explain', ...argv]);
    assert.equal(exitCode, 2);
    assert.match(stderr.replaceAll(/\s+/g, ' '), message);
  });
}
