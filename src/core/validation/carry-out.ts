// Carries out a validation check: its attempts and pauses, the time limit of each attempt, and what each kind of check asks.

import { formatDuration } from '../../base/duration.ts';
import type { Judgement } from './answer.ts';
import { type Asker, originOf, type Request, type Target, type Time, urlOf } from './asker.ts';
import { type CheckOutcome, checkName, type HttpCheck, type ValidationCheck } from './check.ts';
import { judgeAnswer, looksIntoBody } from './judge-answer.ts';
import { carryOutOpenApi } from './openapi/carry-out.ts';
import { cutReason, lastWords } from './reason.ts';

export interface Tools {
  readonly asker: Asker;
  readonly time: Time;
}

/** Never rejects for what it finds; rejects with the signal's reason when it aborts. */
export async function carryOut(
  tools: Tools,
  check: ValidationCheck,
  target: Target,
  signal: AbortSignal = new AbortController().signal,
): Promise<CheckOutcome> {
  signal.throwIfAborted();
  const startedAt = tools.time.now();
  let judgement: Judgement = { passed: false, reason: 'it was not asked' };
  let attempts = 0;
  while (attempts < Math.max(1, check.attempts)) {
    if (attempts > 0) await tools.time.sleep(check.pauseMs, signal);
    signal.throwIfAborted();
    attempts += 1;
    judgement = await attempt(tools, check, target, signal);
    if (judgement.passed) break;
  }
  return {
    name: checkName(check),
    passed: judgement.passed,
    attempts,
    // The machine's clock may be set back meanwhile.
    durationMs: Math.max(0, tools.time.now() - startedAt),
    reason: cutReason(judgement.reason),
  };
}

/** One attempt, ended by its limit when it takes too long. */
async function attempt(tools: Tools, check: ValidationCheck, target: Target, signal: AbortSignal): Promise<Judgement> {
  const limit = new AbortController();
  const finished = new AbortController();
  const timer = tools.time.sleep(check.withinMs, finished.signal).then(() => {
    if (!finished.signal.aborted) limit.abort();
  });
  try {
    return await ask(tools, check, target, AbortSignal.any([signal, limit.signal]));
  } catch (thrown) {
    signal.throwIfAborted();
    if (!limit.signal.aborted) throw thrown;
    return { passed: false, reason: lateReason(check) };
  } finally {
    finished.abort();
    await timer;
  }
}

function lateReason(check: ValidationCheck): string {
  const within = formatDuration(check.withinMs);
  switch (check.kind) {
    case 'http':
      return `expected the whole answer within ${within}, and it was not there by then`;
    case 'tcp':
      return `expected a connection within ${within}, and there was none by then`;
    case 'command':
      return `expected an end within ${within}, and it was still running, so it was ended`;
    case 'openapi':
      return `expected to be through with all paths within ${within}, and was not`;
  }
}

async function ask(tools: Tools, check: ValidationCheck, target: Target, signal: AbortSignal): Promise<Judgement> {
  switch (check.kind) {
    case 'http':
      return askHttp(tools.asker, check, target, signal);
    case 'tcp': {
      const refused = await tools.asker.connect({ host: check.host, port: check.port }, signal);
      return { passed: refused === undefined, reason: refused?.reason ?? 'it accepts connections' };
    }
    case 'command': {
      const { command, workingDirectory } = check;
      const ended = await tools.asker.run({ command, workingDirectory, variables: releaseVariables(target) }, signal);
      return { passed: ended.passed, reason: endReason(ended.how, ended.output) };
    }
    case 'openapi':
      return carryOutOpenApi(tools.asker, check, target, signal);
  }
}

/** The variables in which a program is told where the release is. */
function releaseVariables(target: Target): Readonly<Record<string, string>> {
  const { host, port } = target.address;
  return { SLUICE_HOST: host, SLUICE_PORT: String(port), SLUICE_URL: originOf(target) };
}

const longestOutput = 400;

function endReason(how: string, output: string): string {
  const words = lastWords(output, longestOutput);
  return words === '' ? how : `${how}; its last words: ${words}`;
}

const largestBodyBytes = 1024 * 1024;
const largestTogetherBytes = 64 * largestBodyBytes;

async function askHttp(asker: Asker, check: HttpCheck, target: Target, signal: AbortSignal): Promise<Judgement> {
  const count = Math.max(1, check.concurrency);
  const headers = await headersOf(asker, check);
  if (typeof headers === 'string') return { passed: false, reason: headers };
  const keepBytes = Math.min(largestBodyBytes, Math.floor(largestTogetherBytes / count));
  const request = httpRequest(check, headers, target, keepBytes);
  if (request === undefined) return { passed: false, reason: 'its URL cannot be read' };
  const judgements = await Promise.all(
    Array.from({ length: count }, async () => {
      const answer = await asker.request(request, signal);
      if (answer.kind !== 'answer') return { passed: false, reason: answer.reason };
      return judgeAnswer(check, answer, Object.values(headers));
    }),
  );
  return together(judgements);
}

/** With their secrets read, or why that cannot be done. */
async function headersOf(asker: Asker, check: HttpCheck): Promise<Readonly<Record<string, string>> | string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(check.headers)) {
    const read = typeof value === 'string' ? { value } : await asker.secret(value);
    if ('problem' in read) return `the header ${name} cannot be sent: ${read.problem}`;
    headers[name] = read.value;
  }
  return headers;
}

/** All must pass; the first that did not speaks for the others. */
function together(judgements: readonly Judgement[]): Judgement {
  const failed = judgements.filter((judgement) => !judgement.passed);
  const reason = (failed[0] ?? judgements[0])?.reason ?? '';
  const count = judgements.length;
  if (failed.length > 0) {
    return {
      passed: false,
      reason: count === 1 ? reason : `${failed.length} of ${count} requests at once failed: ${reason}`,
    };
  }
  return { passed: true, reason: count === 1 ? reason : `${count} requests at once: ${reason}` };
}

function httpRequest(
  check: HttpCheck,
  headers: Request['headers'],
  target: Target,
  bodyBytes: number,
): Request | undefined {
  const place = urlOf(target, check.url);
  if (place === undefined) return undefined;
  return {
    ...place,
    method: check.method,
    headers,
    ...(check.body === undefined ? {} : { body: check.body }),
    keepBytes: looksIntoBody(check) ? bodyBytes : 0,
  };
}
