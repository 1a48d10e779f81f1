// The program of the built-in proxy: serves one scope until it is told to end. Started by the driver, never by hand.

import { closeSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

import { Failure, failureData } from '../../../base/failure.ts';
import { orderSchema, type ProxyState, type StartOrder, type StartReport } from './control/schema.ts';
import { identify } from './process/process-identity.ts';
import { takeFileLock } from '../../../base/file-lock.ts';
import { openLog, type WriteLog } from './process/proxy-log.ts';
import { directoryFiles } from './process/scope-directory.ts';
import { ServedProxy } from './process/served-proxy.ts';
import { readState } from './process/state-file.ts';

/** The pipe on which the driver waits for one line. */
const reportPipe = 3;
/** For requests in flight when a signal ends the proxy. */
const signalGraceMs = 10_000;

/** Serves as ordered; ends by `process.exit`. */
async function main(order: StartOrder): Promise<void> {
  const files = directoryFiles(order.directory, order.socket);
  const log = openLog(files.log);
  const release = takeFileLock(files.lock);
  if (release === undefined) return report({ kind: 'running' });
  process.on('uncaughtException', (error) => {
    // What state a connection is in after that is unknown: better a new process, with the same routes, than a strange one.
    log('proxy ended by a defect', { error: error.stack ?? String(error) });
    process.exit(1);
  });
  const former = await formerState(order, files.state, log);
  try {
    await serve(order, { former, release, log });
  } catch (error) {
    log('proxy could not start', { failure: failureData(error) });
    if (former === undefined) forget(order);
    report({ kind: 'failed', failure: failureData(error) });
    process.exit(1);
  }
}

interface Held {
  readonly former: ProxyState | undefined;
  readonly release: () => void;
  readonly log: WriteLog;
}

async function serve(order: StartOrder, { former, release, log }: Held): Promise<void> {
  const files = directoryFiles(order.directory, order.socket);
  const settings = order.settings ?? former?.settings;
  if (settings === undefined) {
    throw new Failure('router.refused', 'The proxy was never given settings, so it cannot be started again.', {
      at: order.directory,
      remedy: 'Deploy to this environment; that gives it settings and routes.',
    });
  }
  const self = (await identify(process.pid)) ?? { pid: process.pid, startTime: '', boot: '' };
  let ending = false;
  const stop = (graceMs: number): void => {
    if (ending) return;
    ending = true;
    log('proxy ends', { graceMs });
    void proxy.close(graceMs, release).then(() => process.exit(0));
  };
  const proxy = new ServedProxy({
    scope: order.scope,
    settings,
    former,
    statePath: files.state,
    socketPath: files.socket,
    process: self,
    log,
    stop,
  });
  process.on('SIGTERM', () => stop(signalGraceMs));
  process.on('SIGINT', () => stop(signalGraceMs));
  // The terminal it was started from is not its own.
  process.on('SIGHUP', () => undefined);
  await proxy.start();
  log('proxy serves', { pid: process.pid, listen: settings.listen, revision: former?.routes?.revision });
  report({ kind: 'ready' });
}

/** A damaged state file stops a proxy only when nothing else says what it should do. */
async function formerState(order: StartOrder, path: string, log: WriteLog): Promise<ProxyState | undefined> {
  try {
    return await readState(path);
  } catch (error) {
    log('former state is not used', { failure: failureData(error) });
    if (order.settings !== undefined) return undefined;
    report({ kind: 'failed', failure: failureData(error) });
    return process.exit(1);
  }
}

/** Leaves nothing of a proxy that never served. */
function forget(order: StartOrder): void {
  rmSync(order.socket, { force: true });
  rmSync(order.directory, { recursive: true, force: true });
  try {
    rmdirSync(dirname(order.directory));
  } catch {
    // Other environments of the service are in there.
  }
}

function report(message: StartReport): void {
  try {
    writeSync(reportPipe, `${JSON.stringify(message)}\n`);
    closeSync(reportPipe);
  } catch {
    // The driver that started us is gone; the proxy is needed all the same.
  }
}

process.umask(0o077);
await main(orderSchema.parse(JSON.parse(process.argv[2] ?? '')));
