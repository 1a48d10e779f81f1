import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { gatePresets } from '../statistics/settings.ts';
import { createAccessLogParser, createHaproxyParser } from './access-log.ts';
import { createTraceParser } from './canary-trace.ts';
import { createCsvParser } from './csv.ts';
import { createJsonParser } from './json-lines.ts';
import { svgPlot, terminalPlot } from './plot.ts';
import type { LineParser } from './record.ts';
import { createReplay, type ReplayOptions, type ReplayResult } from './replay.ts';

const traces = join(import.meta.dirname, '../../../../test/fixtures/statistics/traces');

function replay(lines: Iterable<string>, options: Partial<ReplayOptions> = {}): ReplayResult {
  const judge = createReplay({ parser: createTraceParser(), ...options });
  for (const line of lines) judge.addLine(line);
  return judge.finish();
}

interface Expected {
  readonly name: string;
  readonly abort: { readonly t: number; readonly reason: string; readonly canary_errors: number } | null;
  readonly promote: { readonly t: number } | null;
  readonly log: readonly { readonly t: number; readonly wealth: number }[];
}

for (const expected of JSON.parse(readFileSync(join(traces, 'expected.json'), 'utf8')) as readonly Expected[]) {
  test(`replaying the trace ${expected.name} gives the decision of the reference`, () => {
    const { verdict } = replay(readFileSync(join(traces, `${expected.name}.jsonl`), 'utf8').split('\n'));
    const { abort, promote } = expected;
    const kind = abort === null ? (promote === null ? 'inconclusive' : 'promote') : 'abort';
    assert.equal(verdict.verdict, kind);
    assert.equal(verdict.unreadableLines, 0);
    if (abort !== null) {
      assert.deepEqual(
        [verdict.atSeconds, verdict.reason, verdict.badRequests],
        [abort.t, abort.reason, abort.canary_errors],
      );
    }
    if (promote !== null) assert.equal(verdict.atSeconds, promote.t);
    const wealth = expected.log.find(({ t }) => t === verdict.atSeconds)?.wealth ?? 0;
    assert.ok(Math.abs(verdict.wealth / wealth - 1) < 1e-9, `${verdict.wealth} instead of ${wealth}`);
  });
}

/** A log of `seconds`, 20 requests each, the candidate with two of them; it begins with stable alone. */
function* log(
  seconds: number,
  write: (at: number, candidate: boolean, failed: boolean, ms: number) => string,
): Generator<string> {
  for (let second = -30; second < seconds; second += 1) {
    for (let index = 0; index < 20; index += 1) {
      const candidate = second >= 0 && index % 10 === 5;
      const failed = candidate && (second + index) % 3 === 0;
      yield write(
        1_760_000_000 + second + index / 20,
        candidate,
        failed,
        40 + ((index * 37 + (second + 30) * 11) % 90),
      );
    }
  }
}

const two = (value: number): string => String(value).padStart(2, '0');

/** The clock of 9 October 2025, 08:53:20 UTC plus the seconds. */
function clock(at: number): string {
  const seconds = Math.floor(at) - 1_759_968_000;
  return `09/Oct/2025:${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

const releases = { candidate: /backend=v2\b/, stable: /backend=v1\b/ };

const formats: Readonly<Record<string, { parser: () => LineParser; write: Parameters<typeof log>[1] }>> = {
  'an NGINX log with $request_time': {
    parser: () => createAccessLogParser(releases),
    write: (at, candidate, failed, ms) =>
      `10.0.0.1 - - [${clock(at)} +0000] "GET /a?x=\\"1\\" HTTP/1.1" ${failed ? 502 : 200} 512 "-" "curl/8" backend=v${candidate ? 2 : 1} ${(ms / 1000).toFixed(3)}`,
  },
  'a combined log without times': {
    parser: () => createAccessLogParser(releases),
    write: (at, candidate, failed) =>
      `10.0.0.1 - - [${clock(at)} +0000] "GET / HTTP/1.1" ${failed ? 500 : 200} 512 "-" "backend=v${candidate ? 2 : 1}"`,
  },
  'an HAProxy log': {
    parser: () => createHaproxyParser({ candidate: / app\/green/ }),
    write: (at, candidate, failed, ms) =>
      `haproxy[7]: 10.0.0.1:5000 [${clock(at)}.${String(Math.floor((at % 1) * 1000)).padStart(3, '0')}] http app/${candidate ? 'green' : 'blue'} 0/0/1/${ms}/${ms + 1} ${failed ? 503 : 200} 512 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`,
  },
  'a CSV file': {
    parser: () => createCsvParser(),
    write: (at, candidate, failed, ms) => `${at},"${candidate ? 'canary' : 'stable'}",${failed ? 500 : 200},${ms}`,
  },
};

for (const [name, { parser, write }] of Object.entries(formats)) {
  test(`${name} of a candidate that fails a third of its requests says abort after a few of them`, () => {
    const lines = [...(name === 'a CSV file' ? ['time,release,status,ms'] : []), ...log(60, write)];
    const { verdict, evidence } = replay(lines, { parser: parser(), gate: gatePresets.default, share: 1000 });
    assert.deepEqual(
      [verdict.verdict, verdict.reason, verdict.unreadableLines],
      ['abort', 'errors', 0],
      JSON.stringify(verdict),
    );
    assert.ok(verdict.badRequests >= 3 && verdict.badRequests <= 6, String(verdict.badRequests));
    assert.ok(verdict.atSeconds <= 12, String(verdict.atSeconds));
    assert.equal(evidence?.stable.errors, 0);
    assert.equal(evidence?.candidate.p95 === undefined, name.includes('without times'));
  });
}

test('lines that cannot be read are counted and the first are named; the others are judged all the same', () => {
  const trace = readFileSync(join(traces, 'err5.jsonl'), 'utf8').split('\n');
  const spoilt = trace.flatMap((line, index) =>
    index > 0 && index % 20 === 0 ? ['{"t":1', '{"t":1,"v":"canary","status":20}', 'x', line] : [line],
  );
  const { verdict } = replay(spoilt);
  assert.deepEqual([verdict.verdict, verdict.atSeconds], ['abort', 71]);
  assert.equal(verdict.unreadableLines, 3 * Math.floor((trace.length - 1) / 20));
  assert.equal(verdict.problems.length, 5);
  assert.equal(verdict.problems[0], 'line 21: not JSON');
  assert.match(verdict.problems[1] ?? '', /line 22: 20 is not an HTTP status/);
});

test('a log without requests of the candidate is inconclusive', () => {
  const { verdict, evidence } = replay([]);
  assert.deepEqual([verdict.verdict, verdict.reason, verdict.candidateRequests], ['inconclusive', 'empty', 0]);
  assert.equal(evidence, undefined);
});

test('a clock that goes back in a log is counted, and changes no verdict', () => {
  const { parser, write } = formats['an HAProxy log'] ?? assert.fail();
  const lines = [...log(60, write)];
  const back = lines.map((line, index) => (index % 50 === 49 ? (lines[index - 45] ?? line) : line));
  const { verdict } = replay(back, { parser: parser(), gate: gatePresets.default });
  assert.equal(verdict.verdict, 'abort');
  assert.ok(verdict.backwards > 0);
});

test('settings in a header that mean nothing here are named', () => {
  const header = { type: 'header', format: 'canary-trace/1', cfg: { alpha: 0.05, mood: 3 } };
  const { verdict, gate } = replay([JSON.stringify(header)]);
  assert.deepEqual(verdict.ignoredSettings, ['mood']);
  assert.equal(gate.alpha, 0.05);
});

test('a header whose buckets do not fit its history is refused in words', () => {
  const header = { type: 'header', format: 'canary-trace/1', le: [1, 2], history: { n: 1, errors: 0, buckets: [1] } };
  const { verdict } = replay([JSON.stringify(header)]);
  assert.deepEqual(verdict.problems, ['line 1: the history has 1 buckets where 2 bounds make 3']);
});

test('a long log keeps a bounded number of points', () => {
  function* hours(): Generator<string> {
    for (let t = 1; t <= 7200; t += 1)
      yield JSON.stringify({ t: t - 0.5, v: t % 2 === 0 ? 'canary' : 'stable', status: t % 4 < 2 ? 500 : 200 });
  }
  const { points, verdict } = replay(hours());
  assert.ok(points.length <= 600 && points.length >= 200, String(points.length));
  assert.equal(verdict.lines, 7200);
});

test('the plots show the line that aborts and when it was crossed', () => {
  const { points, verdict, gate } = replay(readFileSync(join(traces, 'err5.jsonl'), 'utf8').split('\n'));
  const plot = { points, verdict, needed: 1 / gate.alpha };
  const text = terminalPlot(plot);
  assert.match(text, /^ {3}100 \|.*-{10}/m);
  assert.match(text, /aborted after 71 s/);
  assert.ok(text.split('\n').every((line) => line.length <= 80));
  const svg = svgPlot(plot, 'shop <production>');
  assert.match(svg, /^<svg xmlns/);
  assert.match(svg, /shop &lt;production&gt;/);
  assert.equal(svg.match(/<polyline/g)?.length, 1);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
});

const anyParser: readonly (readonly [string, () => LineParser])[] = [
  ['a trace', () => createTraceParser()],
  ['an access log', () => createAccessLogParser({ candidate: /a/, field: 'x' })],
  ['an access log by word', () => createAccessLogParser({ candidate: /1/, field: '-2' })],
  ['an HAProxy log', () => createHaproxyParser({ candidate: /a/, field: 'server' })],
  ['a CSV file', () => createCsvParser()],
  ['a log of JSON', () => createJsonParser({ candidate: /a/ })],
];

/** Lines that are nearly right, which is where readers break. */
const nearly = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.constantFrom(
    'time,release,status,ms',
    '{"t":1,"v":"canary","status":200,"ms":-0}',
    '{"format":"canary-trace/1","le":[1,2],"history":{"n":1,"errors":9,"buckets":[1,1,1]},"cfg":{"alpha":1e-300}}',
    '{"t":-1e10,"v":"stable","status":599,"ms":9e8}',
    '1,canary,200,5',
    '"1"",canary',
    '{"time":1,"status":"500","release":"a","latency":1e400}',
    '{"TIME":"2025-10-09T13:00:00Z","code":200,"version":"a","duration":"0.5"}',
    '09/Oct/2025:13:00:00 "GET /" 200 x=a',
    '10.0.0.1 - - [99/Oct/0000:99:99:99 +9999] "GET / HTTP/1.1" 599 1 x=a 0.001',
    'h[1]: c [31/Feb/2025:00:00:00.9] f b/a -1/-1/-1/-1/99999999 -1 0 - -',
  ),
  fc
    .record({ t: fc.double(), v: fc.constantFrom('canary', 'stable', 'x'), status: fc.integer(), ms: fc.double() })
    .map((line) => JSON.stringify(line)),
);

for (const [what, parser] of anyParser) {
  test(`whatever stands in ${what}, it is read or counted, and the evidence stays made of numbers`, () => {
    fc.assert(
      fc.property(fc.array(nearly, { maxLength: 60 }), (lines) => {
        const { verdict, points, evidence } = replay(lines, { parser: parser() });
        assert.equal(verdict.lines, lines.length);
        assert.ok(verdict.unreadableLines <= lines.length && verdict.problems.length <= 5);
        assert.ok([verdict.wealth, verdict.atSeconds, ...points.map(({ wealth }) => wealth)].every(Number.isFinite));
        if (evidence !== undefined) assert.doesNotMatch(JSON.stringify(evidence.promotion), /null/);
      }),
      { seed: 3, numRuns: 300 },
    );
  });
}
