import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proberContract } from '../../../ports/prober.contract.ts';
import {
  type ContractPages,
  type ContractReply,
  httpCheck,
  secretVariable,
  type ProberHarness,
} from '../../../ports/prober-harness.ts';
import type { ProbeTarget } from '../../../ports/prober.ts';
import { SimulatedClock } from '../../clock/simulated-clock.ts';
import { type MemoryAnswer, MemoryProber, type MemoryQuestion } from './driver.ts';

/** Steps the clock until the promise settles. */
async function until<T>(clock: SimulatedClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  promise.then(mark, mark);
  for (;;) {
    // A few turns of the event loop, so that everything that waits for nothing but promises has gone on.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (settled) return promise;
    clock.step();
  }
}

function make(): Promise<ProberHarness> {
  const clock = new SimulatedClock(1_000_000);
  const servers = new Map<string, Map<string, ContractReply[]>>();
  const programs = new Map<string, MemoryAnswer | 'tells'>();
  const prober = new MemoryProber({
    clock,
    answer: (question) => answer(question, servers, programs),
    variables: { [secretVariable.name]: secretVariable.value },
  });
  let port = 4000;
  const target = (): ProbeTarget => ({ address: { host: '127.0.0.1', port: port++ }, tls: false });
  const paths = () => prober.asked.map((question) => (question.kind === 'http' ? question.request.url.pathname : ''));
  return Promise.resolve({
    prober,
    workingDirectory: '/',
    until: (promise) => until(clock, promise),
    serve: (pages: ContractPages) => {
      const made = target();
      const replies = Object.entries(pages).map(([path, list]): [string, ContractReply[]] => [path, [...list]]);
      servers.set(`127.0.0.1:${made.address.port}`, new Map(replies));
      return Promise.resolve(made);
    },
    requests: (path) => paths().filter((one) => one === path).length,
    arrived: async (path) => {
      while (!paths().includes(path)) await new Promise((resolve) => setImmediate(resolve));
    },
    nobody: () => Promise.resolve(target()),
    program: ({ exitCode = 0, output, tells, afterMs }) => {
      const name = `program-${programs.size}`;
      const reply = { status: exitCode, body: output };
      programs.set(name, tells === true ? 'tells' : afterMs === 'never' ? 'silent' : { ...reply, afterMs });
      return Promise.resolve([name]);
    },
    close: () => Promise.resolve(),
  });
}

function answer(
  question: MemoryQuestion,
  servers: ReadonlyMap<string, Map<string, ContractReply[]>>,
  programs: ReadonlyMap<string, MemoryAnswer | 'tells'>,
): MemoryAnswer {
  if (question.kind === 'command') {
    const { SLUICE_HOST, SLUICE_PORT, SLUICE_URL } = question.program.variables;
    const found = programs.get(question.program.command[0] ?? '') ?? 'refused';
    return found === 'tells' ? { status: 1, body: `${SLUICE_HOST} ${SLUICE_PORT} ${SLUICE_URL}` } : found;
  }
  if (question.kind === 'tcp') return servers.has(`${question.address.host}:${question.address.port}`) ? {} : 'refused';
  const { request } = question;
  const pages = servers.get(request.url.host);
  if (pages === undefined) return 'refused';
  const replies = pages.get(request.url.pathname) ?? [{ status: 404 }];
  const reply = (replies.length > 1 ? replies.shift() : replies[0]) ?? {};
  if (reply.afterMs === 'never') return 'silent';
  const lines = Object.entries(request.headers).map(([name, value]) => `${name.toLowerCase()}: ${value}`);
  const echo = [`${request.method} ${request.url.pathname}${request.url.search}`, ...lines, request.body ?? ''].join(
    '\n',
  );
  return { status: reply.status, headers: reply.headers, body: typeof reply.body === 'object' ? echo : reply.body };
}

proberContract('the memory prober', make);

const target: ProbeTarget = { address: { host: 'shop-1', port: 80 }, tls: false };

test('a script answers each answer once and the last one for good, a path before its host', async () => {
  const prober = new MemoryProber({ clock: new SimulatedClock(0) });
  prober.script('shop-1:80', { status: 200 });
  prober.script('shop-1:80/ready', { status: 503 }, 'refused', { status: 204 });
  const reasons = [];
  for (const url of ['/ready', '/ready', '/ready', '/ready', '/other']) {
    reasons.push((await prober.probe(httpCheck({ url }), target)).reason);
  }
  assert.deepEqual(reasons, [
    'expected status 200-299, got 503',
    'nothing listens on shop-1:80',
    'status 204',
    'status 204',
    'status 200',
  ]);
});

test('an answer takes its time by the clock, and no other', async () => {
  const clock = new SimulatedClock(0);
  const prober = new MemoryProber({ clock });
  prober.script('shop-1:80', { afterMs: 3_600_000 });
  const outcome = await until(clock, prober.probe(httpCheck({ withinMs: 7_200_000 }), target));
  assert.deepEqual([outcome.passed, outcome.durationMs], [true, 3_600_000]);
  const late = await until(clock, prober.probe(httpCheck({ withinMs: 60_000 }), target));
  assert.deepEqual([late.passed, late.durationMs], [false, 60_000]);
});

test('a fault before asks nothing, a fault after loses the outcome', async () => {
  for (const phase of ['before', 'after'] as const) {
    const fault = (call: { readonly phase: string }): void => {
      if (call.phase === phase) throw new Error(`fault ${phase}`);
    };
    const prober = new MemoryProber({ clock: new SimulatedClock(0), fault, answer: () => ({}) });
    await assert.rejects(prober.probe(httpCheck({}), target), /fault/);
    assert.equal(prober.asked.length, phase === 'before' ? 0 : 1);
  }
});

test('the same calls give the same outcomes', async () => {
  const outcomes = async (): Promise<unknown> => {
    const clock = new SimulatedClock(0);
    const prober = new MemoryProber({ clock });
    prober.script('shop-1:80', { status: 500, afterMs: 10 }, 'silent', { afterMs: 5 });
    return until(clock, prober.probe(httpCheck({ attempts: 4, pauseMs: 7, withinMs: 100 }), target));
  };
  assert.deepEqual(await outcomes(), await outcomes());
});
