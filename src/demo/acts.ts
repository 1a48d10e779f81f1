// The acts of the demo, in their order: each runs the commands that a person would type, and looks whether what came is what was promised.

import { count, percent } from '../cli/render/units.ts';
import { allTraffic } from '../core/routes.ts';
import type { EventRecord } from '../core/rollout/record.ts';
import { isFinal, type Status } from '../core/rollout/status.ts';
import { lateMs } from './service/shop.ts';
import { since } from './tally.ts';
import type { World } from './world.ts';

export interface Act {
  readonly title: string;
  readonly words: string;
  readonly play: (world: World) => Promise<void>;
}

export const acts: readonly Act[] = [
  {
    title: 'A first release',
    words:
      'Nothing is trusted yet: v1 must be healthy and pass its checks before anybody sees it. Then the load begins.',
    play: firstRelease,
  },
  {
    title: 'Blue-green',
    words: 'v2 comes up beside v1, is checked where no visitor sees it, and then gets all traffic in one switch.',
    play: blueGreen,
  },
  {
    title: 'A canary that is promoted',
    words:
      'v3 gets 10 %, then 50 %, then all traffic. Each stage has to earn the next with what the visitors really got.',
    play: goodCanary,
  },
  {
    title: 'A canary that fails',
    words:
      'v4 is healthy and passes every check, but each third checkout in it fails. Nobody will be asked what to do.',
    play: badCanary,
  },
  {
    title: 'A release that crashes at start',
    words: 'v5 ends before it listens. It gets no traffic, and what it wrote last is shown.',
    play: crashAtStart,
  },
  {
    title: 'The controller dies in the middle of a canary',
    words:
      'v6 is on its way when the server is killed with -9. Traffic does not pass through the server, so it goes on.',
    play: controllerDies,
  },
  {
    title: 'Rollback',
    words: 'Suppose that v6 is not liked. One command goes back to v3, which still runs warm.',
    play: rollback,
  },
  {
    title: 'A release that turns bad after its promotion',
    words:
      'v7 does everything right, is promoted, and half a minute later its checkouts begin to fail. Sluice is still looking.',
    play: turnsBad,
  },
];

async function firstRelease(world: World): Promise<void> {
  await world.startServer();
  await deployed(world, 'v1', { code: 0, status: 'VERIFIED', words: 'v1 is the stable release' });
  world.beginLoad();
  world.say('8 visitors begin to ask for pages, together about 200 times a second, and do not stop until the end.');
}

async function blueGreen(world: World): Promise<void> {
  const before = world.totals();
  await deployed(world, 'v2', { code: 0, status: 'VERIFIED', words: 'v2 is the stable release' });
  world.sayTraffic('meanwhile', before);
}

async function goodCanary(world: World): Promise<void> {
  const before = world.totals();
  await deployed(world, 'v3', {
    code: 0,
    status: 'VERIFIED',
    words: 'v3 earned every stage and is the stable release',
  });
  world.sayTraffic('meanwhile', before);
}

async function badCanary(world: World): Promise<void> {
  const before = world.totals();
  await deployed(world, 'v4', { code: 1, status: 'ROLLED_BACK', words: 'v4 was taken out by itself' });
  const { rollout } = await world.newest();
  const { wentBackAt, safeAt, reason } = rollout;
  const bad = world.totals().versions['v4'];
  world.promise(
    rollout.hold?.judgement?.outcome === 'fail' ||
      rollout.judgements.some(({ judgement }) => judgement.outcome === 'fail'),
    `what decided was the evidence of its requests: ${reason ?? 'no reason was recorded'}`,
  );
  if (wentBackAt !== undefined && safeAt !== undefined) {
    world.found = { ...world.found, backMs: safeAt - wentBackAt };
    world.promise(
      bad !== undefined && bad.lastBegunAt <= safeAt,
      `it could fail ${count(bad?.faults ?? 0)} of ${count(bad?.requests ?? 0)} requests; ${safeAt - wentBackAt} ms after the decision all traffic was on v3, and no request reached v4 after that`,
    );
  } else world.promise(false, 'the records say when it was decided, and when all traffic was on v3');
  world.sayTraffic('meanwhile', before);
}

async function crashAtStart(world: World): Promise<void> {
  const before = world.totals();
  await deployed(world, 'v5', { code: 1, status: 'ROLLED_BACK', words: 'v5 was given up' });
  const { rollout } = await world.newest();
  const details = JSON.stringify(rollout.failure?.details ?? {});
  world.promise(details.includes('PAYMENT_URL'), 'the failure has what v5 wrote last');
  const code = await world.sluice('v5', ['logs', '--release', rollout.plan.candidate.id]);
  world.promise(code === 0 && since(before, world.totals()).versions['v5'] === undefined, 'no visitor ever reached v5');
  world.sayTraffic('meanwhile', before);
}

const absenceMs = 3_000;
/** The proxy keeps a share exactly, but requests end in another order than they begin. */
const unordered = 10;

async function controllerDies(world: World): Promise<void> {
  const beginning = world.totals();
  const code = await world.sluice('v6', ['deploy', '--label', 'v6', '--detach']);
  world.promise(code === 0, 'the server took the deployment over');
  let stage = 0;
  await world.until('v6 serves its share', async () => {
    const served = since(beginning, world.totals()).versions['v6']?.requests ?? 0;
    const active = await world.active();
    stage = (active?.share ?? 0) / allTraffic;
    return served >= 20 && active?.status.startsWith('CANARY') === true;
  });
  const before = world.totals();
  const diedAt = performance.now();
  await world.killServer();
  await withoutController(world, diedAt);
  const absence = since(before, world.totals());
  const durationMs = performance.now() - diedAt;
  const v6 = absence.versions['v6']?.requests ?? 0;
  world.found = {
    ...world.found,
    withoutController: { durationMs, requests: absence.requests, failed: absence.failed },
  };
  world.promise(
    absence.requests > 0 && absence.failed === 0 && v6 > 0 && v6 <= absence.requests * stage + unordered,
    `traffic went on without a controller, ${percent(v6 / Math.max(1, absence.requests))} of it to v6, whose stage is ${percent(stage)}`,
  );
  await world.startServer();
  const watched = await world.sluice('v6', ['status', '--watch']);
  const { rollout, records } = await world.newest();
  world.promise(watched === 0 && rollout.status === 'VERIFIED', 'the deployment was taken up and came to its end');
  const recovered = records.find((record) => record.event.kind === 'recovered');
  world.promise(recovered !== undefined, `the record says so: ${recovered?.words ?? 'nothing'}`);
  world.sayTraffic('meanwhile', beginning);
}

/** Tells each second how the visitors fare. */
async function withoutController(world: World, diedAt: number): Promise<void> {
  while (performance.now() - diedAt < absenceMs) {
    const before = world.totals();
    await world.sleep(1000);
    const { requests, failed } = since(before, world.totals());
    const seconds = Math.round((performance.now() - diedAt) / 1000);
    world.say(
      `no controller for ${seconds} s: ${count(requests)} requests in the last second, ${count(failed)} failed`,
    );
  }
}

async function rollback(world: World): Promise<void> {
  const before = world.totals();
  const code = await world.sluice('v6', ['rollback', '--reason', 'visitors miss the old checkout']);
  const after = world.totals();
  const { rollout, records } = await world.newest();
  world.promise(
    code === 0 && rollout.status === 'VERIFIED' && rollout.plan.candidate.label === 'v3',
    'v3 is the stable release again',
  );
  const backMs = switchMs(records);
  if (backMs !== undefined) world.found = { ...world.found, rollbackMs: backMs };
  await world.sleep(1000);
  const versions = Object.keys(since(after, world.totals()).versions);
  world.promise(
    backMs !== undefined && versions.join() === 'v3',
    `all traffic was on v3 ${backMs ?? '?'} ms after the order`,
  );
  world.sayTraffic('meanwhile', before);
}

async function turnsBad(world: World): Promise<void> {
  const before = world.totals();
  await deployed(world, 'v7', { code: 0, status: 'VERIFIED', words: 'v7 earned its promotion' });
  const promoted = (await world.newest()).rollout;
  world.say(
    `In ${Math.round(lateMs / 1000)} s from its start its checkouts will begin to fail. Nobody types anything.`,
  );
  await world.until('the rollback by itself', async () => {
    const { rollout } = await world.newest();
    return rollout.id !== promoted.id && isFinal(rollout.status);
  });
  const after = world.totals();
  const { rollout, records } = await world.newest();
  const afterMs = rollout.createdAt - (promoted.endedAt ?? promoted.createdAt);
  world.promise(
    rollout.createdBy === 'sluice' && rollout.status === 'VERIFIED' && rollout.plan.candidate.label === 'v3',
    `${(afterMs / 1000).toFixed(0)} s after the promotion Sluice went back to v3 by itself: ${records[0]?.words ?? ''}`,
  );
  const faults = since(before, after).versions['v7']?.faults ?? 0;
  await world.sleep(1000);
  const versions = Object.keys(since(after, world.totals()).versions);
  world.promise(
    faults > 0 && versions.join() === 'v3',
    `v7 could fail ${count(faults)} requests; ${switchMs(records) ?? '?'} ms after the decision all traffic was on v3`,
  );
  world.sayTraffic('meanwhile', before);
}

/** From the order to all traffic on the other release, by the records. */
function switchMs(records: readonly EventRecord[]): number | undefined {
  const ordered = records.find((record) => record.event.kind === 'started');
  const switched = records.find((record) => record.to === 'PROMOTED');
  return ordered === undefined || switched === undefined ? undefined : switched.at - ordered.at;
}

interface Expected {
  readonly code: number;
  readonly status: Status;
  readonly words: string;
}

async function deployed(world: World, version: string, expected: Expected): Promise<void> {
  const code = await world.sluice(version, ['deploy', '--label', version]);
  const { rollout } = await world.newest();
  const isNew = rollout.plan.candidate.label === version;
  world.promise(isNew && code === expected.code && rollout.status === expected.status, expected.words);
}
