// Finds an image by what never moves, and fetches it from its registry.

import * as z from 'zod';
import { Failure } from '../../../base/failure.ts';
import type { Log } from '../../../base/log.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Image } from './answers.ts';
import { EngineRefusal } from './connection.ts';
import type { EngineApi } from './engine-api.ts';
import { registryAuth } from './registry-auth.ts';

export interface ImageName {
  /** Without tag: `ghcr.io/acme/shop`. */
  readonly repository: string;
  /** Of its manifest in the registry, or the engine's own id of an image that never was in one. */
  readonly digest: string;
}

/** The image, with the name by which the engine knows it; undefined: the engine does not have it. */
export async function findImage(
  api: EngineApi,
  { repository, digest }: ImageName,
): Promise<{ readonly image: Image; readonly reference: string } | undefined> {
  for (const reference of [`${repository}@${digest}`, digest]) {
    const image = await api.image(reference);
    if (image !== undefined) return { image, reference };
  }
  return undefined;
}

export interface PullOptions {
  readonly platform?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/** How long a registry may say nothing at all; a large layer reports its progress many times a second. */
const silenceMs = 120_000;
const tellEveryMs = 5_000;

const Progress = z.object({
  id: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
});

/** Resolves when the engine has it. Rejects with `release.missing`, `registry.failed` or what the connection rejects with. */
export async function pullImage(api: EngineApi, reference: string, options: PullOptions): Promise<void> {
  const { clock, log } = options;
  const silent = new AbortController();
  const signal = options.signal === undefined ? silent.signal : AbortSignal.any([options.signal, silent.signal]);
  log.write('info', 'an image is fetched', { image: reference });
  const auth = await registryAuth(reference);
  const report = await refusedAs(reference, api.pull(reference, options.platform, auth, signal));
  let heardAt = clock.now();
  let toldAt = heardAt;
  const listening = new AbortController();
  const watching = (async () => {
    while (!listening.signal.aborted && clock.now() - heardAt < silenceMs) await clock.sleep(1000, listening.signal);
    if (!listening.signal.aborted) silent.abort();
  })();
  const layers = new Map<string, number>();
  // Loaded with the first image that is fetched.
  const { createInterface } = process.getBuiltinModule('node:readline');
  try {
    for await (const line of createInterface({ input: report, crlfDelay: Infinity })) {
      heardAt = clock.now();
      takeIn(reference, line, layers);
      if (heardAt - toldAt < tellEveryMs) continue;
      toldAt = heardAt;
      log.write('info', 'an image is being fetched', { image: reference, bytes: sum(layers), layers: layers.size });
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (silent.signal.aborted) throw failed(reference, 'the registry went silent', error);
    throw error instanceof Failure ? error : failed(reference, 'the connection broke off', error);
  } finally {
    listening.abort();
    await watching;
  }
  log.write('info', 'an image was fetched', { image: reference, bytes: sum(layers) });
}

function takeIn(reference: string, line: string, layers: Map<string, number>): void {
  const progress = Progress.safeParse(parsed(line));
  if (!progress.success) return;
  const { id, error, progressDetail } = progress.data;
  if (error !== undefined) throw refused(reference, error);
  if (id !== undefined && progressDetail?.current !== undefined) layers.set(id, progressDetail.current);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function sum(layers: ReadonlyMap<string, number>): number {
  return [...layers.values()].reduce((all, bytes) => all + bytes, 0);
}

/** A refusal of a registry, which comes as one of the engine. */
export async function refusedAs<T>(reference: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof EngineRefusal) throw refused(reference, error.message, error.status);
    if (error instanceof Failure && error.code === 'platform.failed') throw refused(reference, error.message);
    throw error;
  }
}

/** Of a registry that wants to know who asks as well: it tells strangers neither that it has an image nor that it has none. */
const missingInWords =
  /not found|manifest unknown|does not exist|no such image|denied|unauthorized|no basic auth credentials|authentication required/i;

/** The engine tells only in words whether the registry has no such image or did not answer. */
function refused(reference: string, words: string, status?: number): Failure {
  const missing = status === 404 || status === 401 || status === 403;
  if (missing || missingInWords.test(words)) {
    return new Failure(
      'release.missing',
      `There is no image ${reference}: the engine does not have it, and the registry says: ${words}.`,
      {
        at: 'release.image',
        remedy: 'Build or push it first, correct the name, or log in to the registry (`docker login`).',
      },
    );
  }
  return failed(reference, words);
}

function failed(reference: string, words: string, cause?: unknown): Failure {
  return new Failure(
    'registry.failed',
    `The image ${reference} is not on this machine, and could not be fetched: ${words}.`,
    {
      at: 'release.image',
      remedy: 'Check the name and the way to the registry, or load the image (`docker load`); then try again.',
      cause,
    },
  );
}
