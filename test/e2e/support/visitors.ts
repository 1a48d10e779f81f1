// A visitor who asks again and again, and remembers every answer that was not as it should be.

import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const everyMs = 20;
const patienceMs = 20_000;

/** Resolves with the body of an answer; rejects with what went wrong. */
export function ask(port: number, agent?: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, agent, timeout: patienceMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`status ${response.statusCode}: ${text.slice(0, 200)}`));
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}

export class Visitor {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #done: Promise<void>;
  readonly failures: string[] = [];
  requests = 0;
  #leaving = false;

  constructor(port: number) {
    this.#port = port;
    this.#done = this.#stay();
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    await this.#done;
    this.#agent.destroy();
  }

  async #stay(): Promise<void> {
    while (!this.#leaving) {
      this.requests += 1;
      await ask(this.#port, this.#agent).catch((error: unknown) => {
        this.failures.push(`${new Date().toISOString()} ${error instanceof Error ? error.message : String(error)}`);
      });
      await sleep(everyMs);
    }
  }
}
