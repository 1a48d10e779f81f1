// Brings images of this machine's engine to another one, as one stream.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { engineSocket } from './engine.ts';

export interface Loader {
  /** A program that reads images as `docker save` writes them. */
  readonly command: readonly [program: string, ...words: string[]];
  readonly environment?: NodeJS.ProcessEnv;
}

/** Rejects with what the loader said last. */
export async function carryImages(references: readonly string[], loader: Loader): Promise<void> {
  const [program, ...words] = loader.command;
  const from = spawn('docker', ['--host', `unix://${engineSocket}`, 'save', ...references], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const to = spawn(program, words, { stdio: [from.stdout, 'ignore', 'pipe'], env: loader.environment ?? process.env });
  let said = '';
  to.stderr.on('data', (part: Buffer) => (said = `${said}${part.toString()}`.slice(-2000)));
  const codes = await Promise.all([once(from, 'exit'), once(to, 'exit')]);
  if (codes.some(([code]) => code !== 0)) throw new Error(`the images were not brought there: ${said}`);
}
