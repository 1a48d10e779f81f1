import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

import { Failure } from '../../base/failure.ts';
import type { Client, StreamItem } from '../context.ts';
import { ran, start, until } from '../fixture-context.ts';
import { judgement, noon, scope, stories, type Story } from '../fixture-story.ts';

let cwd = '';

before(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  const text = `service: shop
release: { directory: ./dist, command: node server.js }
health: { path: /health }
environments:
  production:
    router: { embedded: { listen: 18080 } }
    strategy: { canary: { stages: [1%, 10%, 100%] } }
`;
  await writeFile(join(cwd, 'sluice.yaml'), text);
});

after(() => rm(cwd, { recursive: true }));

/** A controller that goes through a story: `deploy` shows its beginning, the stream the rest. */
function telling(story: Story, options: { readonly stopAt?: Promise<void> } = {}): Partial<Client> {
  return {
    deploy: async () => ({ ...story.rollout, status: 'BUILDING', version: 1 }),
    detail: async () => ({ rollout: story.rollout, records: story.records }),
    async *stream(query, signal): AsyncGenerator<StreamItem> {
      let told = query.after ?? 0;
      const news = (): StreamItem[] => {
        const records = story.records.filter(({ sequence }) => sequence > told);
        told = records.at(-1)?.sequence ?? told;
        return records.map((record) => ({ kind: 'record', record }));
      };
      yield* news();
      if (options.stopAt !== undefined) {
        await Promise.race([options.stopAt, aborted(signal)]);
        yield* news();
      }
      await aborted(signal);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}

const escape = '\u001b';

const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('a deployment that is verified exits with 0, a line per record in a pipe', async () => {
  const story = stories.blueGreenVerified();
  const { exitCode, stdout, closed } = await ran(['deploy'], { cwd, client: telling(story) });
  assert.equal(exitCode, 0);
  const shown = stdout.split('\n');
  assert.match(shown[0] ?? '', /^● BUILDING {2}blue-green of shop\/production/);
  assert.equal(shown.filter((line) => /^13:00:0\d {2}[A-Z_]+ /.test(line)).length, story.records.length);
  assert.match(stdout, /✓ VERIFIED {2}shop\/production runs shop@8d1f0a2b3c4d \(1\.4\.2\)/);
  assert.ok(!stdout.includes(escape));
  assert.deepEqual(closed, ['leave']);
});

test('the request carries the configuration’s specification, the overrides, the label and the person', async () => {
  let seen: Parameters<Client['deploy']>[0] | undefined;
  const client = telling(stories.blueGreenVerified());
  const argv = ['deploy', '--label', '1.4.2', '--plan-digest', 'sha256:1', '--stages', '5%, 100%'];
  await ran(argv, {
    cwd,
    client: { ...client, deploy: async (request) => ((seen = request), client.deploy?.(request) ?? assert.fail()) },
  });
  assert.equal(seen?.actor, 'alice@desk');
  assert.equal(seen.label, '1.4.2');
  assert.equal(seen.planDigest, 'sha256:1');
  assert.deepEqual(seen.spec.scope, scope);
  const { strategy } = seen.spec;
  assert.deepEqual(strategy.kind === 'canary' && strategy.stages.map(({ share }) => share), [500, 10_000]);
});

test('a strategy named on the command line takes the place of the configured one', async () => {
  let seen: Parameters<Client['deploy']>[0] | undefined;
  const client = telling(stories.blueGreenVerified());
  await ran(['deploy', '--strategy', 'blue-green'], {
    cwd,
    client: { ...client, deploy: async (request) => ((seen = request), client.deploy?.(request) ?? assert.fail()) },
  });
  assert.equal(seen?.spec.strategy.kind, 'blue-green');
});

test('a deployment that goes back exits with 1, one that failed with 5', async () => {
  const back = await ran(['deploy'], { cwd, client: telling(stories.rolledBack()) });
  assert.equal(back.exitCode, 1);
  assert.match(back.stdout, /✗ ROLLED_BACK/);
  const failed = await ran(['deploy'], { cwd, client: telling(stories.failed()) });
  assert.equal(failed.exitCode, 5);
  assert.match(failed.stdout, /Start it with `sluice server`/);
});

test('where nobody watches, a server’s deployment that waits exits with 3 and says how to go on', async () => {
  for (const story of [stories.paused(), stories.awaitingApproval()]) {
    const { exitCode, stdout } = await ran(['deploy'], { cwd, client: telling(story) });
    assert.equal(exitCode, 3);
    assert.match(stdout, /To go on, or back:\n {4}sluice (resume|promote) -e production/);
  }
});

test('with JSON every line is an object of a kind, the last one the end with its exit code', async () => {
  const story = stories.awaitingApproval();
  const { exitCode, stdout } = await ran(['deploy', '--json'], { cwd, client: telling(story), terminal: true });
  const lines = jsonLines(stdout);
  assert.equal(exitCode, 3);
  assert.equal(lines[0]?.['kind'], 'deployment');
  assert.deepEqual(
    lines.slice(1, -1).map(({ kind }) => kind),
    story.records.map(() => 'record'),
  );
  assert.equal(lines.at(-1)?.['kind'], 'end');
  assert.equal(lines.at(-1)?.['exitCode'], 3);
});

test('on a terminal a waiting deployment is watched on, and Ctrl-C leaves it to the server', async () => {
  const run = start(['deploy'], { cwd, client: telling(stories.awaitingApproval()), terminal: true });
  await until(() => run.written().includes('AWAITING_APPROVAL'), 'the waiting state is shown');
  run.signal('SIGINT');
  const { exitCode, stderr, closed } = await run.done;
  assert.equal(exitCode, 130);
  assert.equal(stderr, 'Left; the deployment goes on. Come back with:\n  sluice status --watch -e production\n');
  assert.deepEqual(closed, ['leave']);
});

test('the block is drawn in place, the cursor comes back, and the outcome stays', async () => {
  const { stdout } = await ran(['deploy'], { cwd, client: telling(stories.blueGreenVerified()), terminal: true });
  assert.ok(stdout.startsWith('\u001b[?25l'));
  assert.match(stdout, new RegExp(`${escape}\\[\\d+A`));
  const last = stdout.slice(stdout.lastIndexOf('\u001b[?25h'));
  assert.match(last, /VERIFIED/);
  assert.ok(!last.includes(`${escape}[?25l`));
});

test('SIGTERM leaves a server’s deployment as Ctrl-C does', async () => {
  const run = start(['deploy', '--json'], { cwd, client: telling(stories.canaryInProgress()) });
  await until(() => run.written().includes('"record"'), 'it follows');
  run.signal('SIGTERM');
  assert.equal((await run.done).exitCode, 143);
});

test('without a server a script stays while it waits: it is the controller', async () => {
  const story = stories.paused();
  const resumed = Promise.withResolvers<void>();
  const client = telling(story, { stopAt: resumed.promise });
  const run = start(['deploy'], { cwd, mode: 'local', client });
  await until(() => run.written().includes('PAUSED'), 'the pause is shown');
  story.tell({ kind: 'abort', reason: 'enough' }, 1000, 'bob@desk').settle();
  resumed.resolve();
  const { exitCode, stdout } = await run.done;
  assert.equal(exitCode, 1);
  assert.match(stdout, /ROLLED_BACK/);
});

test('without a server --detach leaves a deployment that waits, with 3', async () => {
  const { exitCode } = await ran(['deploy', '--detach'], { cwd, mode: 'local', client: telling(stories.paused()) });
  assert.equal(exitCode, 3);
});

test('with a server --detach returns at once and says how to follow', async () => {
  const client = telling(stories.canaryInProgress());
  const { exitCode, stdout } = await ran(['deploy', '--detach'], { cwd, client });
  assert.equal(exitCode, 0);
  assert.match(stdout, /Follow it with:\n {2}sluice status --watch -e production\n$/);
});

test('without a server Ctrl-C settles the deployment, shows how it goes back, and exits by its end', async () => {
  const story = stories.canaryInProgress();
  const goesBack = Promise.withResolvers<void>();
  const run = start(['deploy'], {
    cwd,
    mode: 'local',
    client: telling(story, { stopAt: goesBack.promise }),
    onClose: async (mode) => {
      if (mode === 'leave') return;
      story.tell({ kind: 'abort', reason: 'its controller ends' }, 1000).settle();
      goesBack.resolve();
      await until(() => run.written().includes('ROLLED_BACK'), 'the end is shown');
    },
  });
  await until(() => run.written().includes('CANARY_WAITING'), 'it follows');
  run.signal('SIGINT');
  const { exitCode, stdout, stderr, closed } = await run.done;
  assert.equal(exitCode, 1);
  assert.deepEqual(closed, ['settle', 'leave']);
  assert.match(stderr, /Bringing the deployment to a safe state before leaving; Ctrl-C again leaves at once\./);
  assert.match(stdout, /✗ ROLLED_BACK {2}shop\/production stays on shop@3f9c2a1b7d04/);
});

test('a second Ctrl-C leaves at once and tells the consequence; one that was passed on twice does not count', async () => {
  const settled = Promise.withResolvers<void>();
  const run = start(['deploy'], {
    cwd,
    mode: 'local',
    client: telling(stories.canaryInProgress()),
    onClose: (mode) => (mode === 'settle' ? settled.promise : undefined),
  });
  await until(() => run.written().includes('CANARY_WAITING'), 'it follows');
  run.signal('SIGINT');
  run.signal('SIGINT');
  assert.doesNotMatch(run.written(), /Left at once/);
  run.pass(2000);
  run.signal('SIGINT');
  assert.match(run.written(), /Left at once\. Traffic stays as it is now, and nobody judges the new release\./);
  assert.match(run.written(), /sluice abort -e production {2}sends all traffic back to stable/);
  settled.resolve();
  assert.deepEqual((await run.done).exits, [130]);
});

test('a deployment that cannot be settled says so and is no success', async () => {
  const run = start(['deploy'], {
    cwd,
    mode: 'local',
    client: telling(stories.canaryInProgress()),
    onClose: (mode) => {
      if (mode === 'settle') throw new Failure('store.full', 'the disk is full', { remedy: 'Free space.' });
    },
  });
  await until(() => run.written().includes('CANARY_WAITING'), 'it follows');
  run.signal('SIGINT');
  const { exitCode, stderr } = await run.done;
  assert.equal(exitCode, 6);
  assert.match(stderr, /error: the disk is full/);
});

test('when nobody reads stdout any more, a server’s deployment is left and a local one is carried on', async () => {
  const followed = start(['deploy'], { cwd, client: telling(stories.canaryInProgress()) });
  await until(() => followed.written().includes('CANARY_WAITING'), 'it follows');
  followed.closeStdout();
  assert.equal((await followed.done).exitCode, 141);

  const story = stories.canaryInProgress();
  const on = Promise.withResolvers<void>();
  const local = start(['deploy'], { cwd, mode: 'local', client: telling(story, { stopAt: on.promise }) });
  await until(() => local.written().includes('CANARY_WAITING'), 'it follows');
  local.closeStdout();
  story.tell({ kind: 'abort', reason: 'enough' }, 1000, 'bob@desk').settle();
  on.resolve();
  assert.equal((await local.done).exitCode, 1);
});

test('a server that goes away and comes back is waited for, without a record lost or told twice', async () => {
  const story = stories.blueGreenVerified();
  const whole = telling(story);
  let calls = 0;
  const afters: (number | undefined)[] = [];
  const client: Partial<Client> = {
    ...whole,
    detail: async () => {
      const status = calls < 3 ? 'DEPLOYING' : 'VERIFIED';
      return { rollout: { ...story.rollout, status }, records: story.records };
    },
    async *stream(query, signal) {
      calls += 1;
      afters.push(query.after);
      if (calls === 2) throw new Failure('server.unreachable', 'no answer', { remedy: 'Start it.' });
      for await (const item of whole.stream?.(query, signal) ?? []) {
        yield item;
        if (calls === 1 && item.kind === 'record' && item.record.sequence === 102) return;
      }
    },
  };
  const { exitCode, stdout, stderr } = await ran(['deploy'], { cwd, client });
  assert.equal(exitCode, 0);
  assert.deepEqual(afters.slice(0, 3), [0, 102, 102]);
  assert.equal(stdout.split('\n').filter((line) => /^13:00:0\d/.test(line)).length, story.records.length);
  assert.match(stderr, /The server does not answer; asking again until it does\.\nThe server answers again\.\n/);
});

test('a server that stays away ends following with 6, saying that the outcome is not known', async () => {
  const client = {
    ...telling(stories.canaryInProgress()),
    stream: () => {
      run.pass(50_000);
      throw new Failure('server.unreachable', 'nothing answers at /run/sluice.sock', { remedy: 'Start it.' });
    },
  };
  const run = start(['deploy'], { cwd, client });
  const { exitCode, stderr } = await run.done;
  assert.equal(exitCode, 6);
  assert.match(stderr, /nothing answers at \/run\/sluice\.sock; what became of the deployment is not known/);
});

test('live numbers come at most every ten seconds in a pipe, and always as JSON', async () => {
  const story = stories.blueGreenVerified();
  const whole = telling(story);
  const live = (at: number): StreamItem => ({
    kind: 'live',
    scope,
    deployment: story.rollout.id,
    live: { at, judgement: judgement('inconclusive', 10, 0), requestsPerSecond: 5 },
  });
  const client: Partial<Client> = {
    ...whole,
    async *stream(query, signal) {
      yield live(noon);
      yield live(noon + 1000);
      run.pass(11_000);
      yield live(noon + 11_000);
      yield* whole.stream?.(query, signal) ?? [];
    },
  };
  let run = start(['deploy'], { cwd, client });
  assert.equal((await run.done).stdout.split('\n').filter((line) => line.includes('on trial 10 requests')).length, 2);
  run = start(['deploy', '--json'], { cwd, client });
  assert.equal(jsonLines((await run.done).stdout).filter(({ kind }) => kind === 'live').length, 3);
});

test('a lock that is held exits with 4, told who holds it and how to look', async () => {
  const deploy = (): never => {
    throw new Failure('deployment.locked', 'shop/production is locked by c-1 (process 4711 on desk)', {
      at: 'shop/production',
      remedy: 'Follow it with `sluice status --watch`.',
      details: { since: noon },
    });
  };
  const plain = await ran(['deploy'], { cwd, client: { deploy } });
  assert.equal(plain.exitCode, 4);
  assert.match(plain.stderr, /error: shop\/production is locked by c-1 \(process 4711 on desk\)\n/);
  assert.match(plain.stderr, /do {2}Follow it with `sluice status --watch`\./);
  assert.deepEqual(plain.closed, ['leave']);
  const json = await ran(['deploy', '--json'], { cwd, client: { deploy } });
  assert.equal(json.exitCode, 4);
  assert.equal((JSON.parse(json.stdout) as { error: { code: string } }).error.code, 'deployment.locked');
  assert.equal(json.stderr, '');
});

test('a dry run prints the plan and deploys nothing', async () => {
  const { plan } = stories.paused().rollout;
  const client = { plan: async () => ({ plan, digest: 'sha256:4f0c' }) };
  const plain = await ran(['deploy', '--dry-run'], { cwd, client });
  assert.equal(plain.exitCode, 0);
  assert.match(plain.stdout, /^Plan: canary of shop\/production\n/);
  const json = await ran(['plan', '--json'], { cwd, client });
  assert.equal((JSON.parse(json.stdout) as { digest: string }).digest, 'sha256:4f0c');
  const planned = await ran(['plan'], { cwd, client });
  assert.match(planned.stdout, /sluice deploy --plan-digest sha256:4f0c -e production\n$/);
});

test('overrides that make no sense are refused at their flag', async () => {
  const stages = await ran(['deploy', '--strategy', 'rolling', '--stages', '10%,100%'], { cwd });
  assert.equal(stages.exitCode, 2);
  assert.match(stages.stderr, /error: the strategy rolling has no stages\n {3}at {2}--stages/);
  const unknown = await ran(['deploy', '--strategy', 'canry'], { cwd });
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.stderr, /--strategy[\s\S]*canary/);
  const falling = await ran(['deploy', '--stages', '50%,10%,100%'], { cwd });
  assert.equal(falling.exitCode, 2);
});
