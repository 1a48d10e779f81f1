// `npm run bench:deploy`: what a deployment costs beyond the service's own start, its health interval and its holds; and how fast the
// command line answers. Flags: --rounds N deployments per strategy, --calls N per command. Exits with 1 when a goal is missed.

import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import type { DeploySpec } from '../../src/core/plan/spec.ts';
import { Site } from '../load/site.ts';
import { specOf, type StrategyName } from '../load/spec.ts';
import { join } from 'node:path';
import { buildPackage } from '../package/program.ts';
import { medianOf, timeCommand } from './deploy/commands.ts';
import { ownStartsMs, startTimes } from './deploy/own-start.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, calls: { type: 'string', default: '15' } },
});

const overheadGoalMs = 1_000;
const helpGoalMs = 150;
const statusGoalMs = 300;
const holdMs = 500;
const instances = 2;
const strategies: readonly StrategyName[] = ['blue-green', 'canary', 'rolling'];

interface Cost {
  readonly strategy: StrategyName;
  readonly totalMs: number;
  /** What the service and the specification ask for: starts, health intervals, holds. */
  readonly wantedMs: number;
}

let site: Site | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanUp().then(() => process.exit(130)));
}
try {
  process.exitCode = (await bench()) ? 0 : 1;
} finally {
  await cleanUp();
}

async function bench(): Promise<boolean> {
  const load = loadavg()[0]?.toFixed(1);
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Node ${process.versions.node}, load average ${load}`,
  );
  site = await Site.open();
  const goals = [...(await deployments(site)), ...(await commands(site))];
  console.log('');
  for (const [met, text] of goals) console.log(`${met ? 'met   ' : 'MISSED'}  ${text}`);
  return goals.every(([met]) => met);
}

type Goal = readonly [met: boolean, text: string];

async function deployments(site: Site): Promise<readonly Goal[]> {
  let version = 0;
  const next = async (strategy: StrategyName): Promise<DeploySpec> => {
    version += 1;
    return withoutTraffic(await specOf({ site, strategy, version: `v${version}`, instances, drainMs: 5_000, holdMs }));
  };
  await site.deploy(await next('blue-green'), 'first');
  const costs: Cost[] = [];
  // In turns, so that what else the machine does falls on all of them.
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const strategy of strategies) costs.push(await cost(site, strategy, await next(strategy)));
  }
  console.log('\nA deployment, medians in ms:');
  return strategies.map((strategy) => goalOf(strategy, costs));
}

/** Nothing is sent, so that only time and the machinery count: no gate needs samples, no stage needs requests. */
function withoutTraffic(spec: DeploySpec): DeploySpec {
  const { strategy } = spec;
  if (strategy.kind !== 'canary') return { ...spec, gates: [] };
  return {
    ...spec,
    gates: [],
    strategy: { ...strategy, stages: strategy.stages.map((stage) => ({ ...stage, requests: 0 })) },
  };
}

async function cost(site: Site, strategy: StrategyName, spec: DeploySpec): Promise<Cost> {
  const began = performance.now();
  const rollout = await site.deploy(spec, strategy);
  const totalMs = performance.now() - began;
  if (rollout.status !== 'VERIFIED')
    throw new Error(`${rollout.id} ended as ${rollout.status}: ${rollout.reason ?? ''}`);
  const { steps } = rollout.plan;
  const starts = steps.filter(({ step }) => step.kind === 'start').length;
  const holdsMs = steps.reduce((sum, { step }) => sum + (step.kind === 'hold' ? step.atLeastMs : 0), 0);
  const startsMs = ownStartsMs(await startTimes(site.client, rollout), starts);
  return { strategy, totalMs, wantedMs: startsMs + starts * spec.health.intervalMs + holdsMs };
}

function goalOf(strategy: StrategyName, costs: readonly Cost[]): Goal {
  const ours = costs.filter((cost) => cost.strategy === strategy);
  const total = medianOf(ours.map((cost) => cost.totalMs));
  const wanted = medianOf(ours.map((cost) => cost.wantedMs));
  const overhead = medianOf(ours.map((cost) => cost.totalMs - cost.wantedMs));
  console.log(
    `  ${strategy.padEnd(11)} total ${total.toFixed(0).padStart(6)}   own starts, intervals, holds ${wanted.toFixed(0).padStart(6)}   beyond ${overhead.toFixed(0).padStart(6)}`,
  );
  return [
    overhead < overheadGoalMs,
    `${strategy}: ${overhead.toFixed(0)} ms beyond start, interval and holds (goal: below ${overheadGoalMs} ms)`,
  ];
}

async function commands(site: Site): Promise<readonly Goal[]> {
  const program = join(await buildPackage(site.directory), 'dist', 'main.js');
  const calls = Number(values.calls);
  const help = await timeCommand([program, '--help'], calls);
  const attended = await timeCommand([program, 'status', '--home', site.home], calls);
  await site.endServer();
  const alone = await timeCommand([program, 'status', '--home', site.home], calls);
  const goal = (what: string, ms: number, goalMs: number): Goal => [
    ms < goalMs,
    `${what}: ${ms.toFixed(0)} ms, median of ${calls} (goal: below ${goalMs} ms)`,
  ];
  return [
    goal('sluice --help', help, helpGoalMs),
    goal('sluice status, with a server', attended, statusGoalMs),
    goal('sluice status, without a server', alone, statusGoalMs),
  ];
}

async function cleanUp(): Promise<void> {
  const ours = site;
  site = undefined;
  await ours?.close();
}
