// The routers that can be under load, each as its user has it: how the configuration names it, and what it sent when.

import { createSocket, type Socket } from 'node:dgram';

import type { SampleBatch } from '../../src/core/gate/sample.ts';
import type { Address } from '../../src/core/instance.ts';
import type { Scope } from '../../src/core/scope.ts';
import { systemClock } from '../../src/drivers/clock/system-clock.ts';
import { createEmbeddedRouter } from '../../src/drivers/router/embedded/driver.ts';
import { parseLogLine, whoseLine } from '../../src/drivers/router/haproxy/feed/log-line.ts';
import { ScopeFiles } from '../../src/drivers/router/haproxy/install/files.ts';
import { placesUnder } from '../../src/places.ts';
import { freePort } from '../free-port.ts';
import { headers } from './protocol.ts';
import { Haproxy } from '../programs/haproxy.ts';
import { OwnNginx } from '../programs/nginx.ts';

export const frontNames = ['embedded', 'haproxy', 'nginx'] as const;

export type FrontName = (typeof frontNames)[number];

export interface Front {
  /** `router` of the configuration. */
  readonly settings: object;
  /** The ports that instances should have, because it knows addresses beforehand; undefined: any. */
  readonly ports?: { readonly from: number; readonly to: number } | undefined;
  /** Every finished request, beside the controller that reads them too; undefined where only the controller can, and answers say it. */
  readonly feed?: ((scope: Scope, signal: AbortSignal) => AsyncIterable<SampleBatch>) | undefined;
  /** From the decision to the last request on the release that was left, 99 of 100 at most; milliseconds. */
  readonly switchGoalMs: number;
  /** The program that was there before Sluice; undefined where Sluice brings its own. */
  readonly program?: Haproxy | undefined;
  readonly nginx?: OwnNginx | undefined;
  /** Ends what a person would have to end; the proxies of the home are ended with it. */
  close(): Promise<void>;
}

export interface FrontOptions {
  /** Of Sluice. */
  readonly home: string;
  /** Where users reach the service, on 127.0.0.1. */
  readonly port: number;
}

export async function openFront(name: FrontName, options: FrontOptions): Promise<Front> {
  switch (name) {
    case 'embedded':
      return embedded(options);
    case 'haproxy':
      return haproxy(options);
    case 'nginx':
      return ownNginx(options);
  }
}

function embedded({ home, port }: FrontOptions): Front {
  const listen = { host: '127.0.0.1', port };
  const limits = { headerBytes: 16_384, idleMs: 60_000, answerMs: 60_000 };
  const router = createEmbeddedRouter({
    stateDirectory: placesUnder(home).proxies,
    spec: { driver: 'embedded', listen, limits, trustForwarded: false },
    clock: systemClock,
  });
  return {
    settings: { embedded: { listen: `127.0.0.1:${port}` } },
    feed: (scope, signal) => router.feed(scope, signal),
    switchGoalMs: 50,
    close: async () => undefined,
  };
}

/** HAProxy sends its log to one place, so what it sends is passed on to the controller from here. */
async function haproxy({ port }: FrontOptions): Promise<Front> {
  const program = await Haproxy.start();
  const reach = { host: '127.0.0.1', port: await freePort() };
  const listen = { host: '127.0.0.1', port: await freePort() };
  const relay = await startRelay(reach, listen);
  return {
    settings: {
      haproxy: {
        listen: `127.0.0.1:${port}`,
        directory: program.own,
        socket: program.socket,
        reload: { pidFile: program.pidFile },
        feed: `${listen.host}:${listen.port}`,
        feedReach: `${reach.host}:${reach.port}`,
      },
    },
    program,
    switchGoalMs: 20,
    feed: (scope, signal) => relayed(relay, new ScopeFiles(program.own, scope), signal),
    close: async () => {
      relay.close();
      await program.end();
    },
  };
}

async function ownNginx({ port }: FrontOptions): Promise<Front> {
  // Its own clock, because a request that it sent may wait long for a processor where instances have few.
  const nginx = await OwnNginx.make({ http: `add_header ${headers.routed} "$msec $request_time";` });
  await nginx.start();
  return {
    settings: { nginx: { listen: `127.0.0.1:${port}`, include: nginx.include, program: [...nginx.program] } },
    ports: portsFor(port),
    switchGoalMs: 20,
    nginx,
    close: () => nginx.close(),
  };
}

/** For three sets of up to three instances, and as many that are still ending; by the port of users, because tests run side by side. */
function portsFor(port: number): { readonly from: number; readonly to: number } {
  const from = 20_000 + (port % 450) * 24;
  return { from, to: from + 23 };
}

async function startRelay(from: Address, to: Address): Promise<Socket> {
  const relay = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    relay.once('error', reject);
    relay.bind(from.port, from.host, resolve);
  });
  relay.setRecvBufferSize(4 * 1024 * 1024);
  relay.on('message', (line) => relay.send(line, to.port, to.host));
  // Nobody may be listening, which the system tells.
  relay.on('error', () => undefined);
  return relay;
}

async function* relayed(relay: Socket, files: ScopeFiles, signal: AbortSignal): AsyncGenerator<SampleBatch> {
  let lines: string[] = [];
  let token: string | undefined;
  relay.on('message', (message: Buffer) => lines.push(message.toString('latin1')));
  while (!signal.aborted) {
    await systemClock.sleep(50, signal);
    // HAProxy writes none before its configuration is there, which has the token.
    token ??= (await files.layout())?.feedToken;
    if (token === undefined) continue;
    const samples = samplesOf(lines, token);
    lines = [];
    yield { samples, lost: 0 };
  }
}

function samplesOf(lines: readonly string[], token: string): SampleBatch['samples'] {
  const samples: SampleBatch['samples'][number][] = [];
  for (const text of lines) {
    const line = parseLogLine(text, token);
    const whose = line === undefined ? undefined : whoseLine(line);
    // A connection that was upgraded is told of when it ends, not when it was sent.
    if (line?.at === undefined || whose === undefined || line.status === 101) continue;
    const { at, status, latencyMs, via, origin } = line;
    samples.push({ at, ...whose, status, latencyMs, via, origin });
  }
  return samples;
}
