// Answers: JSON with its headers, and failures with the HTTP status that fits them.

import { type FailureData, failureData } from '../base/failure.ts';
import { type FailureCode, failureCatalogue } from '../base/failure-catalogue.ts';
import { Failure } from '../base/failure.ts';
import { apiVersion, mediaTypes, versionHeader } from '../api/protocol.ts';

const statusOfCode: Partial<Record<FailureCode, number>> = {
  'deployment.unknown': 404,
  'deployment.none': 404,
  'service.unknown': 404,
  'release.unknown': 404,
  'release.gone': 404,
  'deployment.command': 409,
  'plan.changed': 409,
  'rollback.nothing': 409,
  'release.changed': 409,
  'store.conflict': 409,
  'lease.lost': 409,
  'server.unauthorized': 401,
  'request.refused': 403,
  'server.version': 400,
  'store.full': 507,
  'disk.full': 507,
  internal: 500,
};

const statusOfExit = {
  done: 500,
  wentBack: 422,
  usage: 400,
  waiting: 409,
  locked: 409,
  needsPerson: 500,
  unavailable: 503,
} as const;

/** The HTTP status of a failure. */
export function statusOf(code: FailureCode): number {
  return statusOfCode[code] ?? statusOfExit[failureCatalogue[code].exit];
}

/** A failure that needs another status than its code has. */
export class RequestFailure extends Failure {
  readonly status: number;

  constructor(status: number, message: string, at?: string) {
    super('request.invalid', message, { at, remedy: failureCatalogue['request.invalid'].remedy });
    this.status = status;
  }
}

/** Headers of every answer: no cache may keep it, no browser may guess its type. */
export const commonHeaders: Readonly<Record<string, string>> = {
  [versionHeader]: String(apiVersion),
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

export function jsonAnswer(value: unknown, status = 200): Response {
  const headers = { ...commonHeaders, 'content-type': mediaTypes.json };
  return new Response(JSON.stringify(value), { status, headers });
}

/** Anything thrown, as an answer; a token that is missing or wrong also says how to give one. */
export function failureAnswer(thrown: unknown): Response {
  const data: FailureData = failureData(thrown);
  const answer = jsonAnswer(data, thrown instanceof RequestFailure ? thrown.status : statusOf(data.code));
  if (data.code === 'server.unauthorized') answer.headers.set('www-authenticate', 'Bearer realm="sluice"');
  return answer;
}
