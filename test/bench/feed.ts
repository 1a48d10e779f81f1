// `npm run bench:feed`: requests at a steady rate through NGINX, and whether its feed tells of every one or says how many it lost.
// Flags: --rate N requests a second that are sent, --goal N that are answered, --seconds N. Exits with 1 when a line is lost unnoticed or the
// goal was not reached.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import type { NginxRouterSpec } from '../../src/core/plan/spec.ts';
import { systemClock } from '../../src/drivers/clock/system-clock.ts';
import { createNginxRouter } from '../../src/drivers/router/nginx/driver.ts';
import { freePort } from '../free-port.ts';
import { OwnNginx } from '../programs/nginx.ts';
import { type Parts, perAnswer, processorTime } from './feed/processor-time.ts';
import type { SendOrder, SendReport } from './feed/sender.ts';

const { values } = parseArgs({
  options: {
    // Above the goal: who sends no more than that falls below it whenever the machine takes a breath.
    rate: { type: 'string', default: '25000' },
    goal: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '15' },
  },
});
const scope = { service: 'bench', environment: 'feed' };
/** NGINX's. */
const workers = 2;
const settleMs = 3_000;

const seen = { received: 0, lost: 0 };
const stop = new AbortController();
const ends: (() => Promise<void>)[] = [];
try {
  process.exitCode = (await bench()) ? 0 : 1;
} finally {
  stop.abort();
  for (const end of ends.reverse()) await end();
}

async function bench(): Promise<boolean> {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Node ${process.versions.node}, load average ${loadavg()[0]?.toFixed(1)}`,
  );
  const { port, ...parts } = await served();
  const order = { port, perSecond: Number(values.rate), seconds: Number(values.seconds), connections: 24, workers };
  // The feed begins at some moment; what is sent until then is not counted.
  while (seen.received === 0) await sent({ ...order, perSecond: 200, seconds: 0.5 });
  await sleep(settleMs);
  [seen.received, seen.lost] = [0, 0];
  const before = await processorTime(parts);
  const { first, sent: count, answered, tookMs, processorUs } = await sent(order);
  await sleep(settleMs);
  const after = new Map([...(await processorTime(parts)), ['sender', processorUs]]);
  const rate = answered / (tookMs / 1000);
  const unnoticed = first + answered - seen.received - seen.lost;
  console.log(`requests sent        ${count}, and ${first} before to have as many connections at each worker`);
  console.log(`requests answered    ${answered} in ${(tookMs / 1000).toFixed(1)} s, ${rate.toFixed(0)} per second`);
  console.log(`lines received       ${seen.received}`);
  console.log(`lines lost, told of  ${seen.lost}`);
  console.log(`lines lost unnoticed ${unnoticed}`);
  console.log(`processor time in µs for each answer: ${perAnswer(before, after, answered, cpus().length)}`);
  console.log(`load average         ${loadavg()[0]?.toFixed(1)}`);
  if (answered < count) {
    console.log('\nMISSED  not all requests were answered, so that their lines cannot be counted');
    return false;
  }
  const reached = rate >= Number(values.goal);
  console.log(`\n${reached ? 'met   ' : 'MISSED'}  ${values.goal} requests per second`);
  console.log(`${unnoticed === 0 ? 'met   ' : 'MISSED'}  no line is lost unnoticed`);
  return reached && unnoticed === 0;
}

/** NGINX in front of an instance that is an NGINX too, because it has to be fast; `port` is that of users. */
async function served(): Promise<Parts & { readonly port: number }> {
  const [listen, instance] = [
    { host: '127.0.0.1', port: await freePort() },
    { host: '127.0.0.1', port: await freePort() },
  ];
  const http = `keepalive_requests 1000000000; server { listen 127.0.0.1:${instance.port}; location / { return 200; } }`;
  const [nginx, behind] = [
    await OwnNginx.make({ workers, http: 'add_header X-Worker $pid;' }),
    await OwnNginx.make({ http, workers: 1 }),
  ];
  ends.push(
    () => nginx.close(),
    () => behind.close(),
  );
  await nginx.start();
  await behind.start();
  const spec: NginxRouterSpec = {
    driver: 'nginx',
    listen,
    include: nginx.include,
    program: nginx.program,
    by: { kind: 'request' },
    feedHost: '127.0.0.1',
    limits: { headerBytes: 16_384, idleMs: 60_000, answerMs: 60_000 },
    trustForwarded: false,
  };
  const log = {
    write: (level: string, message: string, fields?: object) =>
      level === 'debug' ? undefined : console.log(`  ${level}: ${message} ${JSON.stringify(fields ?? {})}`),
  };
  const router = createNginxRouter({ spec, clock: systemClock, log });
  const endpoints = [{ instance: 'bench-1', address: instance }];
  await router.apply({ scope, revision: 1, groups: [{ release: 'bench', share: 10_000, endpoints }], rules: [] });
  const reading = (async () => {
    for await (const { samples, lost } of router.feed(scope, stop.signal)) {
      seen.received += samples.length;
      seen.lost += lost;
    }
  })();
  ends.push(() => reading);
  return { port: listen.port, nginx, instance: behind };
}

async function sent(order: SendOrder): Promise<SendReport> {
  const child = fork(fileURLToPath(new URL('feed/sender.ts', import.meta.url)));
  const answer = once(child, 'message');
  const ended = once(child, 'exit');
  child.send(order);
  const [report] = (await Promise.race([answer, ended.then(() => [undefined])])) as [SendReport | undefined];
  if (report === undefined) throw new Error('the sender ended before it was through');
  await ended;
  return report;
}
