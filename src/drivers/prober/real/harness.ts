// A world for the real prober to ask: HTTP servers on loopback, and programs made of one line of JavaScript.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type ContractPages,
  type ContractProgram,
  type ContractReply,
  type ProberHarness,
  secretVariable,
} from '../../../ports/prober-harness.ts';
import type { ProbeTarget } from '../../../ports/prober.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { createProber } from './driver.ts';

export function makeHarness(): Promise<ProberHarness> {
  return Promise.resolve(new RealHarness());
}

class RealHarness implements ProberHarness {
  readonly prober = createProber({
    clock: systemClock,
    variables: { ...process.env, [secretVariable.name]: secretVariable.value },
  });
  readonly workingDirectory = tmpdir();
  readonly #servers: Server[] = [];
  readonly #seen: string[] = [];

  until<T>(promise: Promise<T>): Promise<T> {
    return promise;
  }

  async serve(pages: ContractPages): Promise<ProbeTarget> {
    const left = new Map(Object.entries(pages).map(([path, replies]) => [path, [...replies]]));
    const server = createServer((request, response) => {
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      this.#seen.push(path);
      const replies = left.get(path) ?? [{ status: 404 }];
      const reply = (replies.length > 1 ? replies.shift() : replies[0]) ?? {};
      void respond(reply, request, response);
    });
    this.#servers.push(server);
    return { address: { host: '127.0.0.1', port: await listen(server) }, tls: false };
  }

  requests(path: string): number {
    return this.#seen.filter((one) => one === path).length;
  }

  async arrived(path: string): Promise<void> {
    while (!this.#seen.includes(path)) await wait(5);
  }

  async nobody(): Promise<ProbeTarget> {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    return { address: { host: '127.0.0.1', port }, tls: false };
  }

  program({ exitCode = 0, output = '', tells, afterMs }: ContractProgram): Promise<readonly string[]> {
    const told = "['SLUICE_HOST', 'SLUICE_PORT', 'SLUICE_URL'].map((name) => process.env[name]).join(' ')";
    const text = tells === true ? told : JSON.stringify(output);
    const end = `process.stdout.write(${text}, () => process.exit(${exitCode}))`;
    const code = afterMs === 'never' ? 'setInterval(() => {}, 1000)' : end;
    return Promise.resolve([process.execPath, '-e', code]);
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}

async function respond(reply: ContractReply, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (reply.afterMs === 'never') return;
  if (reply.afterMs !== undefined) await wait(reply.afterMs);
  const { status = 200, headers = {}, body = '' } = reply;
  const lines = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`);
  const echo = [`${request.method} ${request.url}`, ...lines, Buffer.concat(chunks).toString()].join('\n');
  response.writeHead(status, headers);
  response.end(typeof body === 'string' ? body : echo);
}

/** Listens on a free port of loopback. */
export async function listen(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
