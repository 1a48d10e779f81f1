// `npm run bench:proxy`: the built-in proxy beside NGINX with one worker and the bare upstream, on small answers and on one gigabyte.
// Flags: --seconds N per measurement, --rounds N, --connections N. Exits with 1 when a goal is missed or cannot be judged.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { createEmbeddedRouter, listProxies, removeProxy } from '../../src/drivers/router/embedded/driver.ts';
import { freePort } from '../free-port.ts';
import {
  bulkBytes,
  type BulkResult,
  download,
  measured,
  processorSeconds,
  residentBytes,
  upload,
} from './proxy/bulk.ts';
import { findLoad, type Load, type LoadResult } from './proxy/load.ts';
import { startNginx } from './proxy/nginx.ts';

const ratioGoal = 0.35;
const growthGoalBytes = 64 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
  },
});

interface Candidate {
  readonly name: string;
  readonly port: number;
  /** Of the process whose memory counts; undefined: memory does not matter. */
  readonly pid?: number | undefined;
  readonly results: LoadResult[];
  bytes: number;
  /** Over all measurements. */
  processorSeconds: number;
  requests: number;
  prepare?: (() => Promise<() => Promise<void>>) | undefined;
}

const ends: (() => Promise<unknown>)[] = [];
const endAll = async (): Promise<void> => {
  for (const end of ends.splice(0).reverse()) await end();
};
process.once('SIGINT', () => void endAll().then(() => process.exit(130)));
try {
  process.exitCode = (await bench()) ? 0 : 1;
} finally {
  await endAll();
}

async function bench(): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  ends.push(() => rm(directory, { recursive: true, force: true }));
  const upstreamPort = await startUpstream();
  const nginxPort = await freePort();
  const nginx = await startNginx(directory, nginxPort, upstreamPort);
  if (nginx !== undefined) ends.push(nginx.stop);
  const builtIn = await startBuiltIn(join(directory, 'state'), upstreamPort);
  const { name, load } = await findLoad();
  console.log(
    `${values.connections} connections, ${values.rounds} rounds of ${values.seconds} s each; load by ${name}`,
  );
  console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Node ${process.versions.node}\n`);
  const candidates: Candidate[] = [
    { name: 'bare upstream', port: upstreamPort, results: [], bytes: 0, processorSeconds: 0, requests: 0 },
    {
      name: 'built-in proxy',
      port: builtIn.port,
      pid: builtIn.pid,
      results: [],
      bytes: 0,
      processorSeconds: 0,
      requests: 0,
    },
    {
      name: 'built-in, feed read',
      port: builtIn.port,
      pid: builtIn.pid,
      results: [],
      bytes: 0,
      processorSeconds: 0,
      requests: 0,
      prepare: builtIn.readFeed,
    },
  ];
  if (nginx !== undefined) {
    candidates.splice(1, 0, {
      name: `nginx ${nginx.version}`,
      port: nginxPort,
      pid: nginx.pid,
      results: [],
      bytes: 0,
      processorSeconds: 0,
      requests: 0,
    });
  }
  await measureRounds(candidates, load);
  printTable(candidates);
  const down = await measured(builtIn.pid, () => download(builtIn.port));
  const up = await measured(builtIn.pid, () => upload(builtIn.port));
  console.log(`\n1 GiB down  ${bulkText(down)}\n1 GiB up    ${bulkText(up)}`);
  return judge(candidates, nginx === undefined ? undefined : 1, [down, up]);
}

/** In turns, so that what else the machine does falls on all of them. */
async function measureRounds(candidates: readonly Candidate[], load: Load): Promise<void> {
  const connections = Number(values.connections);
  for (const { port } of candidates) await load({ port, connections, seconds: 1 });
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const candidate of candidates) {
      const done = await candidate.prepare?.();
      await measure(candidate, load, connections);
      await done?.();
    }
  }
}

async function measure(candidate: Candidate, load: Load, connections: number): Promise<void> {
  const { pid, port } = candidate;
  const seconds = Number(values.seconds);
  const before = pid === undefined ? undefined : await processorSeconds(pid);
  const result = await load({ port, connections, seconds });
  candidate.results.push(result);
  if (pid === undefined) return;
  candidate.bytes = await residentBytes(pid);
  const after = await processorSeconds(pid);
  if (before === undefined || after === undefined) return;
  candidate.processorSeconds += after - before;
  candidate.requests += result.requestsPerSecond * seconds;
}

function judge(candidates: readonly Candidate[], nginxAt: number | undefined, bulk: readonly BulkResult[]): boolean {
  const builtIn = candidates.find(({ name }) => name === 'built-in proxy');
  const nginx = nginxAt === undefined ? undefined : candidates[nginxAt];
  const failed = candidates.flatMap(({ results }) => results).reduce((sum, result) => sum + result.failed, 0);
  const growth = Math.max(...bulk.map((result) => result.growthBytes));
  const ratio = rate(builtIn) / rate(nginx);
  const goals: readonly (readonly [boolean, string])[] = [
    nginx === undefined
      ? [false, 'NGINX is not installed, so nothing can be compared: on Debian, apt-get install nginx']
      : [ratio >= ratioGoal, `requests/s against NGINX: ${ratio.toFixed(2)} (goal: at least ${ratioGoal})`],
    [
      growth < growthGoalBytes,
      `memory growth over 1 GiB: ${mebibytes(growth)} (goal: below ${mebibytes(growthGoalBytes)})`,
    ],
    [failed === 0, `failed requests: ${failed} (goal: 0)`],
  ];
  console.log('');
  for (const [met, text] of goals) console.log(`${met ? 'met   ' : 'MISSED'}  ${text}`);
  return goals.every(([met]) => met);
}

/** The median round by requests/s. */
function median(candidate: Candidate): LoadResult | undefined {
  return [...candidate.results].sort((a, b) => a.requestsPerSecond - b.requestsPerSecond)[
    Math.floor(candidate.results.length / 2)
  ];
}

function rate(candidate: Candidate | undefined): number {
  return (candidate && median(candidate)?.requestsPerSecond) ?? Number.NaN;
}

function printTable(candidates: readonly Candidate[]): void {
  const row = (...cells: readonly string[]): void =>
    console.log(cells.map((cell, index) => (index === 0 ? cell.padEnd(22) : cell.padStart(12))).join(''));
  row('', 'requests/s', 'p50', 'p99', 'memory', 'CPU/request');
  for (const candidate of candidates) {
    const result = median(candidate);
    if (result === undefined) continue;
    const memory = candidate.pid === undefined ? '' : mebibytes(candidate.bytes);
    const processor = candidate.requests === 0 ? '' : `${microseconds(candidate).toFixed(1)} µs`;
    row(
      candidate.name,
      String(Math.round(result.requestsPerSecond)),
      `${result.p50Ms.toFixed(2)} ms`,
      `${result.p99Ms.toFixed(2)} ms`,
      memory,
      processor,
    );
  }
}

/** Says more than requests/s on a machine that does other things besides. */
function microseconds(candidate: Candidate): number {
  return (candidate.processorSeconds / candidate.requests) * 1e6;
}

function bulkText({ seconds, growthBytes }: BulkResult): string {
  return `${seconds.toFixed(1)} s (${mebibytes(bulkBytes / seconds)}/s), memory ${growthBytes < 0 ? '' : '+'}${mebibytes(growthBytes)}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

async function startUpstream(): Promise<number> {
  const program = fileURLToPath(new URL('proxy/upstream.ts', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  ends.push(async () => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return Number(line.toString());
}

interface BuiltIn {
  readonly port: number;
  readonly pid: number;
  /** Begins to read the feed; returns what ends it. */
  readonly readFeed: () => Promise<() => Promise<void>>;
}

async function startBuiltIn(stateDirectory: string, upstreamPort: number): Promise<BuiltIn> {
  const scope = { service: 'bench', environment: 'bench' };
  const port = await freePort();
  const clock = { now: () => Date.now(), sleep: (ms: number) => sleep(ms) };
  const router = createEmbeddedRouter({
    stateDirectory,
    clock,
    spec: {
      driver: 'embedded',
      listen: { host: '127.0.0.1', port },
      limits: { headerBytes: 16_384, idleMs: 60_000, answerMs: 60_000 },
      trustForwarded: false,
    },
  });
  ends.push(() => removeProxy(stateDirectory, scope, 0));
  const address = { host: '127.0.0.1', port: upstreamPort };
  const group = (release: string, share: number) => ({
    release,
    share,
    endpoints: [{ instance: `${release}-1`, address }],
  });
  await router.apply({ scope, revision: 1, groups: [group('old', 9_900), group('new', 100)], rules: [] });
  const [proxy] = await listProxies(stateDirectory);
  const readFeed = async (): Promise<() => Promise<void>> => {
    const stop = new AbortController();
    const reading = (async () => {
      for await (const batch of router.feed(scope, stop.signal))
        if (batch.lost > 0) console.log(`${batch.lost} samples lost`);
    })();
    return async () => {
      stop.abort();
      await reading;
    };
  };
  return { port, pid: proxy?.pid ?? 0, readFeed };
}
