// `sluice demo`: deploys, breaks and saves a small service under load, tells what happens, and cleans up whatever comes.

import { mkdir, mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { failureData } from '../base/failure.ts';
import type { DemoOptions, SignalName } from '../cli/context.ts';
import { codeOf, codeOfClosedOutput, codeOfSignal } from '../cli/exit.ts';
import { acts } from './acts.ts';
import { freePorts } from './free-ports.ts';
import { spoken } from './narration.ts';
import { Programs } from './programs.ts';
import { writeRecord } from './record.ts';
import { versions } from './scope.ts';
import { allKept, renderSummary, type Summary } from './summary.ts';
import { World } from './world.ts';
import { writeVersions } from './workshop.ts';

const signals: readonly SignalName[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const showCursor = '\u001b[?25h';

interface Stage {
  readonly options: DemoOptions;
  /** Aborts when the demo has to end; the reason is the exit code. */
  readonly signal: AbortSignal;
  readonly say: (...texts: readonly string[]) => void;
  readonly root: string;
  readonly home: string;
  readonly shop: string;
  readonly programs: Programs;
}

/** Resolves with the exit code, when nothing that the demo started runs any more. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const ending = new AbortController();
  const onSignal = (signal: SignalName): void => ending.abort(codeOfSignal(signal));
  for (const signal of signals) process.on(signal, onSignal);
  options.outputGone.addEventListener('abort', () => ending.abort(codeOfClosedOutput), { once: true });
  try {
    return await withStage(options, ending.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

async function withStage(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const say = (...texts: readonly string[]): void => {
    if (!options.json) options.print(spoken(texts, options.look()));
  };
  const root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-demo-')));
  const [home, shop] = [join(root, 'home'), join(root, 'shop')];
  const programs = new Programs({ root, home, shown: !options.json, colour: options.colour });
  const stage: Stage = { options, signal, say, root, home, shop, programs };
  let exitCode = codeOf('wentBack');
  let problems: readonly string[];
  try {
    exitCode = await perform(stage);
  } finally {
    if (signal.aborted && !options.json && process.stdout.isTTY) process.stdout.write(showCursor);
    say('', 'Cleaning up.');
    problems = await programs.cleanUp();
    say(...cleanedWords(problems, root));
  }
  return problems.length === 0 ? exitCode : Math.max(exitCode, codeOf('wentBack'));
}

/** Resolves with the exit code. What runs besides the load and the server, the caretaker ends. */
async function perform(stage: Stage): Promise<number> {
  const { options, signal, say, root, home, shop, programs } = stage;
  await mkdir(home, { mode: 0o700 });
  const [service = 0, preview = 0] = await freePorts(2);
  await writeVersions(shop, Object.values(versions), { service, preview });
  const world = new World({
    programs,
    shop,
    servicePort: service,
    signal,
    look: options.look,
    print: options.json ? () => undefined : options.print,
    read: !options.json && process.stdout.isTTY,
  });
  try {
    introduce(say, root);
    const summary = await played(world);
    if (signal.aborted) return Number(signal.reason);
    if (options.json) options.printJson(summary);
    else options.print(renderSummary(summary, options.look()));
    if (options.keep) await stay(stage, service);
    return codeOf(allKept(summary) ? 'done' : 'wentBack');
  } finally {
    await world.end();
  }
}

function introduce(say: Stage['say'], root: string): void {
  say(
    'Sluice at work, on a small shop under steady load',
    '',
    'Seven releases are about to be deployed, with the commands that you would type. Three of them are broken, and once the controller is killed. Everything lives in',
    root,
    'and is removed at the end. Ctrl-C ends it at any time.',
  );
}

/** Plays every act; what goes wrong is part of the summary. */
async function played(world: World): Promise<Summary> {
  const begunAt = performance.now();
  const problem = await problemOf(async () => {
    for (const [index, act] of acts.entries()) {
      await world.act(`${index + 1} of ${acts.length}`, act.title, act.words);
      await act.play(world);
    }
  });
  const { requests, failed, losses, versions } = world.totals();
  const bad = versions['v4'];
  const summary: Summary = {
    tookMs: performance.now() - begunAt,
    requests,
    failed,
    losses,
    badCanary: { requests: bad?.requests ?? 0, errors: bad?.faults ?? 0 },
    ...world.found,
    promises: world.promises,
    ...(problem === undefined ? {} : { problem: `The demo could not go on: ${problem}` }),
  };
  return world.signal.aborted ? summary : withRecord(world, summary);
}

async function withRecord(world: World, summary: Summary): Promise<Summary> {
  let record: string | undefined;
  const problem = await problemOf(async () => {
    record = await writeRecord(world.client, summary);
  });
  if (problem === undefined) return { ...summary, record };
  return { ...summary, problem: summary.problem ?? `The record could not be written: ${problem}` };
}

/** What went wrong, in words for people; undefined: nothing did. */
async function problemOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const { message, remedy } = failureData(error);
    return `${message}. ${remedy}`;
  }
}

/** The commands stand without the narrator's bar, so that they can be copied as they are. */
async function stay({ options, say, home, shop, signal }: Stage, port: number): Promise<void> {
  say('', 'Everything goes on, the visitors too. Look around in another terminal:');
  if (!options.json) {
    options.print([
      '',
      `  alias sluice="${[process.execPath, process.argv[1] ?? ''].join(' ')}"`,
      `  export SLUICE_HOME=${home}`,
      `  cd ${join(shop, 'v6')}`,
      '',
      '  sluice status',
      '  sluice history',
      '  sluice deploy --label v6',
      `  curl -i http://127.0.0.1:${port}/`,
      '',
    ]);
  }
  say('Ctrl-C here ends and removes everything.');
  await wait(2 ** 30, undefined, { signal }).catch(() => undefined);
}

function cleanedWords(problems: readonly string[], root: string): readonly string[] {
  if (problems.length === 0) return ['Every process of the demo has ended, and its files are removed.'];
  return ['This could not be cleaned up:', ...problems, `Look in ${root}.`];
}
