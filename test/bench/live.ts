// `npm run bench:live`: releases that fail, are slow, or are well, deployed as canaries under real traffic through the built-in proxy: after
// how many failed requests the bad ones are out, and whether the good ones are promoted. Flags: --runs N of each bad kind, --healthy N,
// --lanes N services side by side, --rate N requests a second for each. Exits with 1 when a goal is missed.

import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import { Site } from '../load/site.ts';
import type { Behaviour } from './live/behaviour.ts';
import { type Compare, Lane, type Trial } from './live/lane.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10' },
    healthy: { type: 'string', default: '20' },
    lanes: { type: 'string', default: '4' },
    rate: { type: 'string', default: '200' },
  },
});

interface Kind {
  readonly name: string;
  readonly behaviour: Omit<Behaviour, 'name'>;
  readonly compare: Compare;
  /** Least time at 10 %; the bad ones have the time that it takes to see them, as in a stage that nobody hurries. */
  readonly hold: string;
  readonly runs: number;
  /** Failed requests in the median, or seconds for each run; undefined: it is to be promoted. */
  readonly goal: { readonly failed: number } | { readonly seconds: number } | undefined;
}

const runs = Number(values.runs);
const failing = (errors: number, failed: number): Kind => ({
  name: `fails ${errors * 100} % of its requests`,
  behaviour: { errors, slower: 1 },
  compare: 'default',
  hold: '5m',
  runs,
  goal: { failed },
});
const kinds: readonly Kind[] = [
  failing(1, 6),
  failing(0.2, 7),
  failing(0.05, 9),
  failing(0.01, 18),
  {
    name: '1.3 times slower, no warm-up',
    behaviour: { errors: 0.001, slower: 1.3 },
    compare: { warmUp: '0s' },
    hold: '5m',
    runs,
    goal: { seconds: 30 },
  },
  {
    name: 'like stable',
    behaviour: { errors: 0.001, slower: 1 },
    compare: 'default',
    hold: '60s',
    runs: Number(values.healthy),
    goal: undefined,
  },
];

let site: Site | undefined;
let lanes: readonly Lane[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)));
try {
  process.exitCode = (await bench()) ? 0 : 1;
} finally {
  await cleanUp();
}

async function bench(): Promise<boolean> {
  const load = loadavg()[0]?.toFixed(1);
  console.log(
    `${values.lanes} services with ${values.rate} requests a second each, canaries of 10 %; ${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Node ${process.versions.node}, load average ${load}\n`,
  );
  const opened = (site = await Site.open());
  lanes = await Promise.all(
    Array.from({ length: Number(values.lanes) }, (_, index) =>
      Lane.open(opened, `lane-${index + 1}`, Number(values.rate)),
    ),
  );
  const trials = await carryOut();
  console.log('release                            runs  out  promoted  failed requests   seconds to the last one');
  const met = kinds.map((kind) => report(kind, trials.get(kind) ?? []));
  const broken = lanes.reduce((sum, lane) => sum + lane.broken, 0);
  console.log(
    `\n${met.every(Boolean) && broken === 0 ? 'met' : 'MISSED'}: all goals, with ${broken} requests that no release answered (goal: 0)`,
  );
  return met.every(Boolean) && broken === 0;
}

/** All kinds in turns, so that what else the machine does falls on all of them; each lane takes the next one that waits. */
async function carryOut(): Promise<ReadonlyMap<Kind, Trial[]>> {
  const most = Math.max(...kinds.map((kind) => kind.runs));
  const waiting = Array.from({ length: most }, (_, round) => kinds.filter((kind) => kind.runs > round)).flat();
  const trials = new Map(kinds.map((kind): [Kind, Trial[]] => [kind, []]));
  await Promise.all(
    lanes.map(async (lane) => {
      for (let kind = waiting.shift(); kind !== undefined; kind = waiting.shift())
        trials.get(kind)?.push(await lane.deploy(kind.behaviour, kind.compare, kind.hold));
    }),
  );
  return trials;
}

function report({ name, goal }: Kind, trials: readonly Trial[]): boolean {
  const out = trials.filter(({ rollout }) => rollout.status === 'ROLLED_BACK').length;
  const promoted = trials.filter(({ rollout }) => rollout.status === 'VERIFIED').length;
  const failed = sorted(trials.map(({ seen }) => seen.failed));
  const seconds = sorted(trials.map(({ seen }) => (seen.last - seen.first) / 1000));
  const [medianFailed, longest] = [median(failed), seconds.at(-1) ?? Number.NaN];
  const met =
    goal === undefined
      ? promoted === trials.length
      : out === trials.length && ('failed' in goal ? medianFailed <= goal.failed : longest <= goal.seconds);
  const wanted =
    goal === undefined ? 'promoted' : 'failed' in goal ? `at most ${goal.failed} failed` : `within ${goal.seconds} s`;
  const columns = [
    name.padEnd(33),
    String(trials.length).padStart(6),
    String(out).padStart(5),
    String(promoted).padStart(10),
    `${medianFailed} (${failed[0]} to ${failed.at(-1)})`.padStart(17),
    goal === undefined ? ''.padStart(18) : `${median(seconds).toFixed(1)} (to ${longest.toFixed(1)})`.padStart(18),
  ];
  console.log(`${columns.join('')}   ${met ? 'met' : 'MISSED'}: ${wanted}`);
  return met;
}

function sorted(numbers: readonly number[]): readonly number[] {
  return [...numbers].sort((a, b) => a - b);
}

function median(ascending: readonly number[]): number {
  return ascending[Math.floor((ascending.length - 1) / 2)] ?? Number.NaN;
}

async function cleanUp(): Promise<void> {
  const ours = site;
  site = undefined;
  await Promise.all(lanes.map((lane) => lane.close()));
  await ours?.close();
}
