// The real prober against what only real programs and networks do.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { CheckOutcome, ValidationCheck } from '../../../core/validation/check.ts';
import { proberContract } from '../../../ports/prober.contract.ts';
import { httpCheck, limits } from '../../../ports/prober-harness.ts';
import type { ProbeTarget } from '../../../ports/prober.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { createProber } from './driver.ts';
import { listen, makeHarness } from './harness.ts';
import { connect } from './tcp.ts';

proberContract('the real prober', makeHarness);

const prober = createProber({ clock: systemClock, variables: { ...process.env, SLUICE_TOKEN: 'the-servers-own' } });
const nobody: ProbeTarget = { address: { host: '127.0.0.1', port: 9 }, tls: false };

async function http(context: TestContext, answer: RequestListener): Promise<ProbeTarget> {
  const server = createHttpServer(answer);
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: { host: '127.0.0.1', port: await listen(server) }, tls: false };
}

test('a service that shares its address is asked by its name', async (context) => {
  const target = await http(context, (asked, response) => {
    response.setHeader('x-asked', asked.headers.host ?? '');
    response.end();
  });
  const named = { ...target, name: 'shop.example' };
  const outcome = async (name: string, headers = {}) =>
    (await prober.probe(httpCheck({ headers, expectHeaders: { 'x-asked': name } }), named)).passed;
  assert.equal(await outcome('shop.example'), true);
  assert.equal(await outcome('own.example', { Host: 'own.example' }), true);
});

async function tcp(context: TestContext, answer: (socket: Socket) => void): Promise<ProbeTarget> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    answer(socket);
  });
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: { host: '127.0.0.1', port: await listen(server) }, tls: false };
}

async function directory(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-prober-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

function run(
  command: readonly string[],
  more: Partial<ValidationCheck & { workingDirectory: string }> = {},
): Promise<CheckOutcome> {
  const check = { ...limits, kind: 'command', command, workingDirectory: tmpdir(), ...more } as ValidationCheck;
  return prober.probe(check, nobody);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'it did not come about');
    await wait(20);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('the limit is on the whole answer: a head in time and a body that trickles fail', async (context) => {
  const target = await http(context, (_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  });
  const outcome = await prober.probe(httpCheck({ withinMs: 200 }), target);
  assert.deepEqual(
    [outcome.passed, outcome.reason],
    [false, 'expected the whole answer within 200ms, and it was not there by then'],
  );
});

test('an endless answer is read no further than what is looked into', async (context) => {
  let written = 0;
  const target = await http(context, (_, response) => {
    const chunk = Buffer.alloc(65_536, 'x');
    const write = (): void => {
      while (!response.destroyed && response.write(chunk)) written += chunk.length;
    };
    response.on('drain', write);
    write();
  });
  const outcome = await prober.probe(httpCheck({ contains: 'y', withinMs: 20_000 }), target);
  assert.equal(outcome.reason, 'the answer is too long to look into');
  assert.ok(written < 32 * 1024 * 1024, String(written));
});

test('an answer that is cut off, and one that is not HTTP', async (context) => {
  const cut = await tcp(context, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'));
  });
  assert.equal(
    (await prober.probe(httpCheck({}), cut)).reason,
    'the connection was closed before the answer was complete',
  );
  const reset = await tcp(context, (socket) => socket.once('data', () => socket.resetAndDestroy()));
  assert.equal(
    (await prober.probe(httpCheck({}), reset)).reason,
    'the connection was closed before the answer was complete',
  );
  const other = await tcp(context, (socket) => {
    socket.once('data', () => socket.end('220 mail.example ESMTP\r\n'));
  });
  assert.equal((await prober.probe(httpCheck({}), other)).reason, 'the answer is not HTTP');
  const long = await tcp(context, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'));
  });
  assert.equal((await prober.probe(httpCheck({}), long)).passed, false);
  const changed = await tcp(context, (socket) => {
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    );
  });
  assert.equal(
    (await prober.probe(httpCheck({}), changed)).reason,
    'the connection was closed before the answer was complete',
    'another protocol is no answer',
  );
});

test('a head without end, and one that is too large, are failed checks', async (context) => {
  const target = await tcp(context, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const timer = setInterval(() => socket.write(`x-${'y'.repeat(1000)}: z\r\n`), 1);
    socket.on('close', () => clearInterval(timer));
  });
  assert.equal((await prober.probe(httpCheck({}), target)).reason, 'the head of the answer is too large');
});

test('a header that cannot be sent is a failed check that does not show it', async (context) => {
  const target = await http(context, (_, response) => response.end());
  const outcome = await prober.probe(httpCheck({ headers: { authorization: 'top\nsecret' } }), target);
  assert.deepEqual([outcome.passed, outcome.reason], [false, 'a header or the method of the request cannot be sent']);
});

test('a host name that does not exist is named', async () => {
  const { reason } = await prober.probe(httpCheck({ url: 'http://no-such-host.invalid:81/' }), nobody);
  assert.match(reason, /^the host name of no-such-host\.invalid:81 (is not known|cannot be looked up at the moment)$/);
});

test('each request has a connection of its own and leaves none behind', async (context) => {
  const sockets = new Set<Socket>();
  const target = await http(context, (request, response) => {
    sockets.add(request.socket);
    response.end('ok');
  });
  for (let round = 0; round < 3; round += 1) await prober.probe(httpCheck({ concurrency: 4 }), target);
  assert.equal(sockets.size, 12);
  await until(() => [...sockets].every((socket) => socket.destroyed));
});

test('the release’s own address needs no certificate that names it, a dependency’s does', async (context) => {
  const path = await directory(context);
  const [key, certificate] = [join(path, 'key.pem'), join(path, 'cert.pem')];
  const make = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=shop',
  ];
  await promisify(execFile)('openssl', [...make, '-keyout', key, '-out', certificate]);
  const server = createTlsServer({ key: await readFile(key), cert: await readFile(certificate) }, (_, response) =>
    response.end('ok'),
  );
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const target = { address: { host: '127.0.0.1', port: await listen(server) }, tls: true };
  assert.equal((await prober.probe(httpCheck({}), target)).reason, 'status 200');
  const dependency = await prober.probe(httpCheck({ url: `https://127.0.0.1:${target.address.port}/` }), target);
  assert.equal(dependency.passed, false);
  assert.match(dependency.reason, /^the certificate of 127\.0\.0\.1:\d+ is signed by itself$/);
});

test('a connection that is given up before it is made is rejected with the reason', async (context) => {
  const target = await tcp(context, () => undefined);
  const abort = new AbortController();
  const pending = connect(target.address, abort.signal);
  abort.abort(new Error('given up'));
  await assert.rejects(pending, /given up/);
});

test('no shell sees a command', async (context) => {
  const path = await directory(context);
  const outcome = await run(['echo', '$HOME', ';', 'touch', join(path, 'made'), '`id`', '&&', 'false']);
  assert.equal(outcome.reason, `exit code 0; its last words: $HOME ; touch ${join(path, 'made')} \`id\` && false`);
  assert.equal(existsSync(join(path, 'made')), false);
});

test('a program is looked for below its working directory, and what keeps it from starting is named', async (context) => {
  const path = await directory(context);
  await writeFile(join(path, 'check.sh'), '#!/bin/sh\npwd\n', { mode: 0o755 });
  await writeFile(join(path, 'data.txt'), 'x', { mode: 0o644 });
  const workingDirectory = path;
  assert.equal((await run(['./check.sh'], { workingDirectory })).reason, `exit code 0; its last words: ${path}`);
  const reasons = [
    await run(['./none.sh'], { workingDirectory }),
    await run(['./data.txt'], { workingDirectory }),
    await run(['./check.sh'], { workingDirectory: join(path, 'none') }),
    await run(['a\0b'], { workingDirectory }),
  ].map(({ passed, reason }) => [passed, reason]);
  assert.deepEqual(reasons, [
    [false, 'it cannot be started: there is no program ./none.sh'],
    [false, 'it cannot be started: ./data.txt is not executable'],
    [false, `it cannot be started: its working directory ${join(path, 'none')} is not a directory`],
    [false, 'it cannot be started: ERR_INVALID_ARG_VALUE'],
  ]);
});

test('a program is not told Sluice’s own token, but everything else that it needs', async () => {
  const outcome = await run([
    process.execPath,
    '-p',
    '`${process.env.SLUICE_TOKEN} ${process.env.PATH !== undefined}`',
  ]);
  assert.equal(outcome.reason, 'exit code 0; its last words: undefined true');
});

test('a program that is ended by a signal is told by it', async () => {
  const outcome = await run([
    process.execPath,
    '-e',
    'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)',
  ]);
  assert.deepEqual([outcome.passed, outcome.reason], [false, 'signal SIGTERM']);
});

test('endless output neither fills the memory nor holds the program up', async () => {
  const outcome = await run([
    process.execPath,
    '-e',
    'for (let i = 0; i < 200; i += 1) require("node:fs").writeSync(2, "x".repeat(100000)); console.log("the end")',
  ]);
  assert.match(outcome.reason, /^exit code 0; its last words: …x+ ?(\| )?the end$/);
});

for (const how of ['time-out', 'abort'] as const) {
  test(`everything that a program started is ended with it on ${how}`, async (context) => {
    const path = await directory(context);
    const pids = join(path, 'pids');
    const script = `sh -c 'echo $$ >> ${pids}; trap "" TERM; sleep 600' & echo $$ >> ${pids}; trap "" TERM; wait`;
    const abort = new AbortController();
    const check: ValidationCheck = {
      ...limits,
      kind: 'command',
      command: ['sh', '-c', script],
      workingDirectory: path,
      withinMs: how === 'time-out' ? 2_000 : 60_000,
    };
    const probe = prober.probe(check, nobody, abort.signal);
    const ended = how === 'abort' ? assert.rejects(probe, /abort/i) : probe;
    const started = async (): Promise<number[]> =>
      existsSync(pids) ? (await readFile(pids, 'utf8')).trim().split('\n').map(Number) : [];
    await until(async () => (await started()).length === 2);
    if (how === 'abort') abort.abort();
    await ended;
    for (const pid of await started()) await until(() => !isRunning(pid));
  });
}

test('what a program leaves behind with its output open does not hold up the outcome', async (context) => {
  const path = await directory(context);
  const pid = join(path, 'pid');
  const outcome = await run(['sh', '-c', `sleep 600 & echo $! > ${pid}; echo done`]);
  process.kill(Number(await readFile(pid, 'utf8')), 'SIGKILL');
  assert.equal(outcome.reason, 'exit code 0; its last words: done');
  assert.ok(outcome.durationMs < 60_000);
});

test('an OpenAPI document that explodes by its anchors is refused', async (context) => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 10; level += 1) {
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  }
  const target = await http(context, (_, response) => response.end(lines.join('\n')));
  const outcome = await prober.probe({ ...limits, kind: 'openapi', url: '/', maxPaths: 5 }, target);
  assert.match(outcome.reason, /^the document is neither JSON nor YAML: Excessive alias count/);
});

test('names in an OpenAPI document are not compared with each other, which would take a large one hours', async (context) => {
  const operation = '{ get: { responses: { 200: { description: here } } } }';
  const document = `openapi: 3.0.3\npaths: { /gone: ${operation} }\npaths: { /here: ${operation} }\n`;
  const target = await http(context, ({ url }, response) => {
    if (url === '/gone') response.statusCode = 404;
    response.end(url === '/document' ? document : 'here');
  });
  const outcome = await prober.probe({ ...limits, kind: 'openapi', url: '/document', maxPaths: 5 }, target);
  assert.equal(outcome.reason, 'OpenAPI 3.0.3: 1 paths answer as declared');
  assert.equal(outcome.passed, true);
});
