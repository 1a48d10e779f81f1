// `npm run bench:switch`: deployments and ways back in a row under steady load, with a real server, proxy and instances.
// Flags: --router embedded|haproxy|nginx, --platform (see test/load/platforms.ts), --deployments N, --requests N and --ways-back N at least, --rate N per second, --seconds N at most. Exits with 1 when a goal is missed.

import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import type { LastReport } from '../load/report.ts';
import { frontNames } from '../load/front.ts';
import { platformNames } from '../load/platforms.ts';
import { runLoad, type RunningLoad } from '../load/run-load.ts';
import { type Act, type Outcome, Scenario } from '../load/scenario.ts';
import { type Sent, sentByAnswers, SentRequests } from '../load/sent-requests.ts';
import { Site } from '../load/site.ts';
import { extra, script } from './switch/script.ts';
import { goalsOf, printGoals, printOutcome, printTimes, timesOf } from './switch/figures.ts';

const { values } = parseArgs({
  options: {
    deployments: { type: 'string', default: '20' },
    requests: { type: 'string', default: '200000' },
    rate: { type: 'string', default: '1500' },
    seconds: { type: 'string', default: '300' },
    platform: { type: 'string', default: 'process' },
    router: { type: 'string', default: 'embedded' },
    'ways-back': { type: 'string', default: '10' },
  },
});

const drainMs = 10_000;
/** Streams end well within the drain limit, so none of them may be cut. */
const streamMsMax = 5_000;
const holdMs = 1_000;

const began = performance.now();
const seconds = (): number => (performance.now() - began) / 1000;

let site: Site | undefined;
let load: RunningLoad | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)));
try {
  process.exitCode = (await bench()) ? 0 : 1;
} finally {
  await cleanUp();
}

async function bench(): Promise<boolean> {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Node ${process.versions.node}, load average ${loadavg()[0]?.toFixed(1)}`,
  );
  site = await Site.open(named(frontNames, values.router), named(platformNames, values.platform));
  const scenario = new Scenario({ site, drainMs, holdMs });
  const first = await scenario.play({ kind: 'deploy', strategy: 'blue-green', instances: 1 });
  const { feed } = site.front;
  const { scope } = first.rollout.plan;
  const sent = feed === undefined ? undefined : new SentRequests((signal) => feed(scope, signal));
  load = runLoad({
    port: site.port,
    connections: 64,
    requestsPerSecond: Number(values.rate),
    downloads: 8,
    uploads: 8,
    sockets: 8,
    streamMsMax,
  });
  const outcomes: Outcome[] = [];
  const play = async (act: Act): Promise<void> => {
    const outcome = await scenario.play(act);
    outcomes.push(outcome);
    printOutcome(outcome, seconds());
  };
  for (const act of script(Number(values.deployments))) await play(act);
  const measured = (): number => outcomes.filter(({ decidedAt }) => decidedAt !== undefined).length;
  const enough = async (running: RunningLoad): Promise<boolean> =>
    measured() >= Number(values['ways-back']) && (await running.report()).requests >= Number(values.requests);
  // What is left of the requests is used for more ways back, whose times are what is measured.
  while (!(await enough(load)) && seconds() < Number(values.seconds)) await play(extra(outcomes.length));
  const report = await load.stop();
  await sent?.end();
  const told = Object.keys(report.routed).length > 0;
  return judge(site, report, outcomes, told ? sentByAnswers(report.routed) : sent);
}

async function judge(
  site: Site,
  report: LastReport,
  outcomes: readonly Outcome[],
  sent: Sent | undefined,
): Promise<boolean> {
  const times = timesOf(outcomes, sent, await site.readRecords());
  printTimes(times);
  const { switchGoalMs } = site.front;
  return printGoals(goalsOf({ report, outcomes, times, requestsGoal: Number(values.requests), switchGoalMs }), report);
}

function named<Name extends string>(names: readonly Name[], name: string): Name {
  const found = names.find((known) => known === name);
  if (found === undefined) throw new Error(`there is no ${JSON.stringify(name)} here; known: ${names.join(', ')}`);
  return found;
}

async function cleanUp(): Promise<void> {
  const [ourLoad, ourSite] = [load, site];
  load = undefined;
  site = undefined;
  ourLoad?.kill();
  await ourSite?.close();
}
