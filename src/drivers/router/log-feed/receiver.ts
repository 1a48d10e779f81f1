// Starts the thread that receives log lines, and hands over what it receives.

import { Failure } from '../../../base/failure.ts';
import { ownProgram } from '../../../base/own-files.ts';
import type { ReceiverCommand, ReceiverOrder, ReceiverReport } from './receiver-protocol.ts';

export interface Receiver {
  readonly port: number;
  /** What the system granted the socket, bytes; 0 for TCP, which slows its sender down instead of losing. */
  readonly bufferBytes: number;
  /** Resolves when the thread ended, by itself or by `close`. */
  readonly ended: Promise<void>;
  /** Resolves when all lines that had come to the socket were handed over, or when the thread ended. One call at a time. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

/** Lines that came, and the number that is known to be lost, since the last call. */
export type OnLines = (lines: readonly string[], lost: number) => void;

/** Resolves when it listens. Rejects with `port.taken`, or `disk.failed` where the system forbids it. */
export async function startReceiver(order: ReceiverOrder, onLines: OnLines): Promise<Receiver> {
  // Loaded with the first receiver: few commands need one.
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const worker = new Worker(ownProgram('drivers/router/log-feed/receiver-main'), {
    workerData: order,
    // Nothing of the controller's environment is needed there.
    env: {},
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const send = (command: ReceiverCommand): void => worker.postMessage(command);
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
  });
  const { promise, resolve, reject } = Promise.withResolvers<Receiver>();
  const close = async (): Promise<void> => {
    send('end');
    await ended;
  };
  let onCaughtUp = (): void => undefined;
  const caughtUp = async (): Promise<void> => {
    const answered = new Promise<void>((resolveAnswer) => {
      onCaughtUp = resolveAnswer;
    });
    send('catch-up');
    await Promise.race([answered, ended]);
  };
  worker.on('error', (error) => reject(error));
  worker.on('message', (report: ReceiverReport) => {
    switch (report.kind) {
      case 'listening':
        resolve({ port: report.port, bufferBytes: report.bufferBytes, ended, caughtUp, close });
        break;
      case 'failed':
        reject(listenFailure(order, report));
        void worker.terminate();
        break;
      case 'lines':
        onLines(report.text === '' ? [] : report.text.split('\n'), report.lost);
        send('taken');
        break;
      case 'caught-up':
        onCaughtUp();
        break;
    }
  });
  return promise;
}

function listenFailure(
  { host, port, transport }: ReceiverOrder,
  { code, message }: { code: string; message: string },
): Failure {
  const at = `${host}:${port}/${transport}`;
  if (code === 'EADDRINUSE') {
    return new Failure('port.taken', `The port ${port} (${transport}) that the router sends its log to is in use.`, {
      at,
      remedy:
        'End the program that listens there; another controller for the same service and environment is the usual one.',
    });
  }
  return new Failure('disk.failed', `Sluice cannot listen for the router's log: ${message}`, {
    at,
    remedy: 'Check the address and the rights of the controller.',
  });
}
