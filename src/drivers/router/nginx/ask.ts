// Asks NGINX itself, at the address of its users, which include and which table it serves by.

import { Failure } from '../../../base/failure.ts';
import { addressName, type Address } from '../../../core/instance.ts';
import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import { ownName } from './names.ts';

export interface Answer {
  readonly generation: number;
  /** Of the worker that answered. */
  readonly pid: number;
  /** Its name; empty where the worker cannot read the folder of tables. */
  readonly table: string;
}

/** Since NGINX started, for all that it serves. */
export interface Totals {
  readonly finished: number;
  /** Kept-alive connections without a request. */
  readonly idle: number;
}

const answerMs = 5_000;
const answerBytesMax = 65_536;

/** Who says nothing at all may be anybody. */
class Silence extends Error {}

/** Undefined when something else answers there. Rejects with `router.unreachable`. */
export async function askGeneration(spec: NginxRouterSpec, token: string): Promise<Answer | undefined> {
  const text = await get(spec, token, 'generation');
  const found = /^sluice (\d{1,15}) (\d{1,10}) (\S*)\s*$/.exec(text);
  if (found === null) return undefined;
  const [, generation, pid, path = ''] = found;
  return { generation: Number(generation), pid: Number(pid), table: path.split('/').at(-1) ?? '' };
}

/**
 * Whether NGINX serves by the include with this token; behind silence it may. A connection that is refused or broken is nobody's or
 * another server's: at shared addresses those that close without a word are common.
 */
export async function whetherServes(spec: NginxRouterSpec, token: string): Promise<'serves' | 'silent' | 'not'> {
  try {
    return (await askGeneration(spec, token)) === undefined ? 'not' : 'serves';
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'router.unreachable')) throw error;
    return error.cause instanceof Silence ? 'silent' : 'not';
  }
}

/** Rejects with `router.unreachable`, also when something else answers. */
export async function askTotals(spec: NginxRouterSpec, token: string): Promise<Totals> {
  const text = await get(spec, token, 'status');
  const found = /\n\s*\d+\s+\d+\s+(\d+)\s*\nReading: (\d+) Writing: (\d+) Waiting: (\d+)/.exec(text);
  if (found === null) throw unreachable(spec, 'something else answers there');
  const [begun = 0, reading = 0, writing = 0, idle = 0] = found.slice(1).map(Number);
  return { finished: begun - reading - writing, idle };
}

async function get(spec: NginxRouterSpec, token: string, what: string): Promise<string> {
  const address = spec.reachAt ?? local(spec.listen);
  const tls = spec.tls !== undefined;
  // Loaded when NGINX is asked: with them every command would start later. An import would load Node's own `fetch` with them.
  const { request } = process.getBuiltinModule(tls ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    const options = {
      host: address.host,
      port: address.port,
      path: `/.sluice-${token}/${what}`,
      agent: false as const,
      timeout: answerMs,
      headers: { host: spec.serverName === undefined ? addressName(address) : ownName(token), connection: 'close' },
    };
    const failed = (error: Error): void => reject(unreachable(spec, error.message, error));
    const asked = request(
      // Whose certificate it is does not matter: the path is a secret that only our own include knows.
      tls ? { ...options, rejectUnauthorized: false, servername: spec.serverName?.split(' ')[0] ?? '' } : options,
      (answer) => {
        let text = '';
        answer.setEncoding('latin1');
        answer.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > answerBytesMax) asked.destroy(new Error('its answer is too long'));
        });
        answer.on('error', failed);
        answer.on('end', () => resolve(text));
      },
    );
    asked.on('timeout', () => asked.destroy(new Silence('it does not answer in time')));
    asked.on('error', failed);
    asked.end();
  });
}

function local({ host, port }: Address): Address {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port };
  return host === '::' ? { host: '::1', port } : { host, port };
}

export function unreachable(spec: NginxRouterSpec, why: string, cause?: unknown): Failure {
  return new Failure(
    'router.unreachable',
    `NGINX does not answer at ${addressName(spec.reachAt ?? local(spec.listen))}: ${why}.`,
    {
      at: spec.include,
      remedy: 'Start NGINX, and look at its error log.',
      cause,
    },
  );
}
