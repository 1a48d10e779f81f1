import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Ran, ran } from '../fixture-context.ts';

const traces = join(import.meta.dirname, '../../../test/fixtures/statistics/traces');
const directory = mkdtempSync(join(tmpdir(), 'sluice-judge-'));
after(() => rmSync(directory, { recursive: true }));

interface Answer {
  readonly verdict: string;
  readonly atSeconds: number;
  readonly reason: string;
  readonly badRequests: number;
  readonly candidateRequests: number;
  readonly wealth: number;
  readonly lines: number;
  readonly unreadableLines: number;
  readonly problems: readonly string[];
  readonly backwards: number;
  readonly notes: readonly string[];
  readonly gate?: { readonly alpha: number; readonly minBadEvents: number };
  readonly overTime?: readonly { readonly atSeconds: number; readonly wealth: number }[];
  readonly checks?: readonly { readonly check: string; readonly outcome: string; readonly against?: number }[];
}

/** Runs `judge --json` on a log from standard input, or on the file that the arguments name. */
async function judged(
  log: readonly string[] | undefined,
  ...argv: readonly string[]
): Promise<Answer & { exit: number }> {
  const call = await ran(['judge', '--json', ...argv], { cwd: directory, typed: log?.join('\n') ?? '' });
  assert.equal(call.stderr, '');
  return { ...(JSON.parse(call.stdout) as Answer), exit: call.exitCode };
}

async function refused(argv: readonly string[], typed = ''): Promise<Ran> {
  const call = await ran(['judge', ...argv], { cwd: directory, typed });
  assert.equal(call.exitCode, 2, call.stdout + call.stderr);
  assert.equal(call.stdout, '');
  return call;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** A log of a minute, 20 requests a second, two of them of the candidate, which fails a third of them. */
function log(write: (request: { at: string; candidate: boolean; status: number; ms: number }) => string): string[] {
  return Array.from({ length: 1200 }, (_, index) => {
    const second = Math.floor(index / 20);
    const candidate = index % 10 === 5;
    const status = candidate && (second + index) % 3 === 0 ? 502 : 200;
    return write({ at: `09/Oct/2025:13:00:${two(second)}`, candidate, status, ms: 40 + ((index * 37) % 90) });
  });
}

const nginx = log(
  ({ at, candidate, status, ms }) =>
    `10.0.0.1 - - [${at} +0000] "GET /v2 HTTP/1.1" ${status} 512 "-" "curl/8" upstream=10.0.0.${candidate ? '7:80' : '70:80'} ${(ms / 1000).toFixed(3)}`,
);
const haproxy = log(
  ({ at, candidate, status, ms }) =>
    `haproxy[7]: 10.0.0.1:5000 [${at}.000] http app/${candidate ? 'green' : 'green-old'} 0/0/1/${ms}/${ms} ${status} 512 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`,
);

test('a trace gives one object with the verdict of the reference, from a file and from standard input', async () => {
  const file = join(traces, 'err5.jsonl');
  const fromFile = await judged(undefined, file);
  const fromInput = await judged(readFileSync(file, 'utf8').split('\n'), '-');
  assert.deepEqual(fromInput, fromFile);
  const { verdict, atSeconds, reason, badRequests, candidateRequests, exit } = fromFile;
  assert.deepEqual(
    [verdict, atSeconds, reason, badRequests, candidateRequests, exit],
    ['abort', 71, 'errors', 6, 161, 1],
  );
  assert.ok(fromFile.wealth >= 100);
  assert.equal((await judged(undefined, join(traces, 'aa.jsonl'))).exit, 0);
  assert.equal((await judged(undefined, join(traces, 'outage_both.jsonl'))).exit, 3);
});

test('the evidence holds the wealth over time and what each check showed', async () => {
  const { overTime = [], checks = [], wealth } = await judged(undefined, join(traces, 'err5.jsonl'), '--evidence');
  assert.equal(overTime.at(-1)?.atSeconds, 71);
  assert.equal(overTime.at(-1)?.wealth, wealth);
  assert.deepEqual(
    checks.map(({ check, outcome }) => `${check} ${outcome}`),
    ['errors fail', 'p95 inconclusive', 'p99 inconclusive', 'guard inconclusive', 'split pass'],
  );
});

const tellings: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['a word of an NGINX log', nginx, ['--candidate', '10.0.0.7:80']],
  ['an expression', nginx, ['--candidate', '/upstream=10\\.0\\.0\\.7:/']],
  ['a named part', nginx, ['--release-field', 'upstream', '--candidate', '10.0.0.7:80']],
  ['a numbered word', nginx, ['--release-field', '-2', '--candidate', 'upstream=10.0.0.7:80']],
  ['the server of an HAProxy log', haproxy, ['--release-field', 'server', '--candidate', 'green']],
  ['a word of an HAProxy log', haproxy, ['--candidate', 'app/green', '--stable', 'app/green-old']],
];

for (const [what, lines, argv] of tellings) {
  test(`the releases of a log are told apart by ${what}`, async () => {
    const { verdict, reason, badRequests, unreadableLines, exit } = await judged(lines, '--share', '10%', ...argv);
    assert.deepEqual([verdict, reason, unreadableLines, exit], ['abort', 'errors', 0, 1]);
    assert.ok(badRequests >= 3 && badRequests <= 6, String(badRequests));
  });
}

test('a column of a CSV file tells the releases apart', async () => {
  const rows = log(
    ({ at, candidate, status, ms }) =>
      `2025-10-09T13:00:${at.slice(-2)}Z,"${candidate ? 'b, new' : 'a'}",${status},${ms / 1000}`,
  );
  const file = join(directory, 'requests.csv');
  writeFileSync(file, ['time,pool,status,duration', ...rows].join('\r\n'));
  const { verdict, unreadableLines } = await judged(
    undefined,
    file,
    '--release-field',
    'pool',
    '--candidate',
    'b, new',
  );
  assert.deepEqual([verdict, unreadableLines], ['abort', 0]);
});

test('a log of JSON objects is told from a trace, and its releases by a name in it', async () => {
  const lines = log(({ at, candidate, status, ms }) =>
    JSON.stringify({
      time_local: `${at} +0000`,
      request: 'GET / HTTP/1.1',
      Status: String(status),
      request_time: (ms / 1000).toFixed(3),
      upstream_addr: candidate ? '10.0.0.7:80' : '10.0.0.70:80',
    }),
  );
  const { verdict, unreadableLines, notes } = await judged(lines, '--candidate', '10.0.0.7:80', '--share', '10%');
  assert.deepEqual([verdict, unreadableLines, notes], ['abort', 0, []]);
  const spoilt = [...lines, '{"time":1,"status":{}}', '[1]', '{"time_local":"noon","status":200,"upstream_addr":"x"}'];
  const named = await judged(spoilt, '--release-field', 'upstream_addr', '--candidate', '/\\.7:/');
  assert.equal(named.verdict, 'abort');
  assert.deepEqual(named.problems, [
    'line 1201: the part that names the release is missing',
    'line 1202: not a JSON object',
    'line 1203: "noon" is not a time',
  ]);
});

test('a log in the common format is judged by its errors, and says that latency was not', async () => {
  const common = log(
    ({ at, candidate, status }) => `10.0.0.1 - ${candidate ? 'v2' : 'v1'} [${at} +0000] "GET / HTTP/1.0" ${status} 512`,
  );
  const { verdict, notes } = await judged(common, '--candidate', 'v2', '--format', 'common');
  assert.equal(verdict, 'abort');
  assert.match(notes.join(), /do not say how long they took/);
});

test('what reached no server belongs to no release', async () => {
  const nowhere = haproxy.map((line) => line.replace(/app\/green-old/, 'app/<NOSRV>'));
  const { verdict, reason, notes } = await judged(nowhere, '--release-field', 'server', '--candidate', 'green');
  assert.deepEqual([verdict, reason], ['inconclusive', 'no-data']);
  assert.deepEqual(notes, ['no request of stable was found']);
});

test('lines that cannot be read are counted, and the first of them named with what is wrong', async () => {
  const rows = [
    'time,release,status,ms',
    '1,canary,200,12',
    '2,canary,many,12',
    '3,canary,200,fast',
    'now,canary,200,1',
    '4',
  ];
  const { lines, unreadableLines, problems } = await judged(rows);
  assert.deepEqual([lines, unreadableLines], [6, 4]);
  assert.deepEqual(problems, [
    'line 3: "many" is not an HTTP status',
    'line 4: "fast" is not a duration',
    'line 5: "now" is not a time',
    'line 6: the part that names the release is missing',
  ]);
  const many = await judged(
    [...nginx, ...Array.from({ length: 1000 }, () => 'kernel: nonsense 10.0.0.7:80')],
    '--candidate',
    '10.0.0.7:80',
  );
  assert.deepEqual([many.unreadableLines, many.problems.length], [1000, 5]);
});

test('text on the terminal shows verdict, evidence, plot and what could not be read, without control characters', async () => {
  const spoilt = ['{"t":1,"v":"\\u001b[31mcanary","status":200}', '\u001b[2Jnot JSON'];
  const typed = [...readFileSync(join(traces, 'err5.jsonl'), 'utf8').split('\n'), ...spoilt].join('\n');
  const { stdout, exitCode } = await ran(['judge'], { typed, environment: { LC_ALL: 'C' } });
  assert.equal(exitCode, 1);
  assert.match(stdout, /^x abort after 1m11s, 6 of 161 requests failed: it fails more requests than stable/);
  assert.match(stdout, /^ {3}100 \|-+/m);
  assert.match(stdout, /2 of which say no request/);
  assert.ok(stdout.split('\n').every((line) => line.length <= 100));
  assert.ok(!stdout.includes('\u001b'));
});

const request = (t: number, v: string, status = 200): string => JSON.stringify({ t, v, status, ms: 40 });

test('where the buckets of the releases differ only errors are compared, and nothing is promoted', async () => {
  const header = (le: object): string =>
    JSON.stringify({ format: 'canary-trace/1', weight: 0.5, le, cfg: { ni_err: 0.05 } });
  const healthy = Array.from({ length: 4000 }, (_, index) =>
    request(index / 20, index % 2 === 0 ? 'canary' : 'stable'),
  );
  const differ = await judged([header({ canary: [50, 100], stable: [50, 200] }), ...healthy]);
  assert.deepEqual([differ.verdict, differ.exit], ['inconclusive', 3]);
  assert.match(differ.notes.join(), /different latency buckets/);
  const same = await judged([header({ canary: [50, 100], stable: [50, 100] }), ...healthy]);
  assert.equal(same.verdict, 'promote');
});

test('numbers that are no times are not judged, and wealth stays a number', async () => {
  const lines = [
    '{"t":1e300,"v":"canary","status":200}',
    '{"t":-1e300,"v":"stable","status":200}',
    '{"t":1e400,"v":"stable","status":200}',
  ];
  const bad = Array.from({ length: 50_000 }, (_, index) =>
    request(1 + index / 25_000, index % 2 === 0 ? 'canary' : 'stable', index % 2 === 0 ? 500 : 200),
  );
  const { unreadableLines, wealth, verdict } = await judged([...lines, ...bad]);
  assert.deepEqual([unreadableLines, verdict, Number.isFinite(wealth)], [3, 'abort', true]);
});

test('two traces in one are not taken for one', async () => {
  const header = JSON.stringify({ format: 'canary-trace/1', le: [50] });
  const { unreadableLines, problems } = await judged([header, request(1, 'canary'), header]);
  assert.equal(unreadableLines, 1);
  assert.match(problems[0] ?? '', /line 3: a header after the beginning/);
});

test('a clock that goes back a little is counted; one that is set back by an hour goes on where it was', async () => {
  const lines = Array.from({ length: 200 }, (_, index) => [
    request(3600 + index, 'stable'),
    request(3600 + index - (index % 10 === 0 ? 5 : 0), 'canary'),
  ]).flat();
  const little = await judged(lines);
  assert.deepEqual([little.backwards, little.notes], [20, []]);
  const hour = [
    ...lines,
    ...Array.from({ length: 200 }, (_, index) => [
      request(index + 200, 'stable'),
      request(index + 200, 'canary', 500),
    ]).flat(),
  ];
  const answer = await judged(hour);
  assert.deepEqual([answer.verdict, answer.reason], ['abort', 'errors']);
  assert.ok(answer.atSeconds > 195 && answer.atSeconds < 215, String(answer.atSeconds));
  assert.match(answer.notes.join(), /set back by more than half an hour 1 times/);
});

test('with --whole a candidate that turns bad after it could have been promoted is aborted', async () => {
  const at = (t: number, v: string, bad = false): string => request(t, v, bad ? 500 : 200);
  const lines = Array.from({ length: 12_000 }, (_, index) =>
    at(index / 20, index % 2 === 0 ? 'canary' : 'stable', index > 10_000 && index % 10 === 0),
  );
  const first = await judged(lines, '--preset', 'strict');
  const whole = await judged(lines, '--preset', 'strict', '--whole');
  assert.deepEqual([first.verdict, whole.verdict], ['promote', 'abort']);
  assert.ok(whole.atSeconds > 500, String(whole.atSeconds));
});

test('settings change what is decided, and where no share is known the margins are the narrowest', async () => {
  const lines = Array.from({ length: 12_000 }, (_, index) =>
    request(index / 20, index % 10 === 0 ? 'canary' : 'stable'),
  );
  const at = async (...argv: readonly string[]): Promise<number> => {
    const answer = await judged(lines, '--warm-up', '0s', ...argv);
    assert.equal(answer.verdict, argv.includes('0.1%') ? 'inconclusive' : 'promote');
    return answer.atSeconds;
  };
  const [unknown, small, wide] = [
    await at(),
    await at('--share', '10%'),
    await at('--share', '10%', '--margin-errors', '5%'),
  ];
  assert.ok(unknown > small && small > wide, `${unknown} ${small} ${wide}`);
  await at('--share', '10%', '--margin-errors', '0.1%');
});

test('the configured gate can be tried, and what is changed in it', async () => {
  const config = (compare: string): void =>
    writeFileSync(
      join(directory, 'sluice.yaml'),
      `service: shop\nrelease: { directory: ., command: node a.js }\nrouter: { embedded: { listen: 8080 } }\nstrategy: canary\ngates: { compare: ${compare} }\n`,
    );
  const judge = (...argv: readonly string[]): ReturnType<typeof judged> =>
    judged(nginx, '--candidate', '10.0.0.7:80', '--share', '10%', '--evidence', '--configured', ...argv);
  config('{ preset: lenient, minBadRequests: 6 }');
  const { badRequests, gate } = await judge();
  assert.equal(badRequests, 6);
  assert.deepEqual([gate?.alpha, gate?.minBadEvents], [0.001, 6]);
  assert.equal((await judge('--false-aborts', '5%')).gate?.alpha, 0.05);
  assert.match(
    (await refused(['--configured', '--preset', 'strict'], nginx.join('\n'))).stderr,
    /either a preset or the configured one/,
  );
  config('off');
  assert.match((await refused(['--configured'], nginx.join('\n'))).stderr, /does not compare releases/);
});

test('a picture is written whole, and over another only where that is wanted', async () => {
  const argv = ['judge', join(traces, 'err5.jsonl'), '--svg', 'incident.svg'];
  const picture = join(directory, 'incident.svg');
  assert.equal((await ran(argv, { cwd: directory })).exitCode, 1);
  assert.match(readFileSync(picture, 'utf8'), /^<svg [\s\S]*aborted after 71 s[\s\S]*<\/svg>\n$/);
  writeFileSync(picture, 'mine');
  const { stderr } = await refused(argv.slice(1));
  assert.match(stderr, /incident\.svg exists already/);
  assert.equal(readFileSync(picture, 'utf8'), 'mine');
  assert.equal((await ran([...argv, '--force'], { cwd: directory })).exitCode, 1);
  assert.match(readFileSync(picture, 'utf8'), /^<svg /);
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('an expression that does not come to an end is given up', async () => {
  const lines = [...nginx.slice(0, 200), `${'a'.repeat(200)}b`];
  const { stderr } = await refused(['--candidate', '/^(a+)+$/'], lines.join('\n'));
  assert.match(stderr, /took longer than 5 s to tell apart/);
});

const wrong: readonly (readonly [string, readonly string[], string | undefined, RegExp])[] = [
  ['an access log without a way to tell the releases', [], nginx.join('\n'), /nothing tells the candidate’s lines/],
  ['a stable without a candidate', ['--stable', 'x'], nginx.join('\n'), /nothing tells the candidate’s lines/],
  ['a trace with one', ['--candidate', 'v2'], request(1, 'canary'), /a trace says itself/],
  ['lines of no known format', [], 'one\ntwo\n', /the first lines tell no format/],
  ['an unknown format', ['--format', 'xml'], '', /"xml" is no format of logs/],
  ['an unknown preset', ['--preset', 'brave'], request(1, 'canary'), /"brave" is no preset/],
  [
    'text where a percentage is wanted',
    ['--false-aborts', 'often'],
    request(1, 'canary'),
    /"often" is not a percentage/,
  ],
  ['a chance of nothing', ['--wrong-passes', '0%'], request(1, 'canary'), /"0%" is not a percentage above 0%/],
  ['a duration without its unit', ['--warm-up', '60'], request(1, 'canary'), /"60" is not a duration/],
  ['all of the traffic', ['--share', '100%'], request(1, 'canary'), /"100%" is not a share/],
  ['an expression that is none', ['--candidate', '/(/'], nginx.join('\n'), /neither text nor a regular expression/],
  ['a file that is not there', ['missing.log'], undefined, /missing\.log is not there/],
  ['a directory', ['.'], undefined, /is a directory/],
];

for (const [what, argv, typed, message] of wrong) {
  test(`${what} is refused, in words`, async () => {
    assert.match((await refused(argv, typed)).stderr.replaceAll(/\s+/g, ' '), message);
  });
}

test('a log that is compressed is refused with the way to unpack it', async () => {
  writeFileSync(join(directory, 'access.log.gz'), gzipSync(nginx.join('\n')));
  const { stderr } = await refused(['access.log.gz', '--candidate', 'v2']);
  assert.match(stderr, /is compressed[\s\S]*zcat/);
});

test('nobody is left waiting at a terminal', async () => {
  const { exitCode, stderr } = await ran(['judge'], { terminal: true });
  assert.equal(exitCode, 2);
  assert.match(stderr, /no log was named/);
});

test('an empty log is inconclusive', async () => {
  const { verdict, reason, exit } = await judged([]);
  assert.deepEqual([verdict, reason, exit], ['inconclusive', 'empty', 3]);
});
