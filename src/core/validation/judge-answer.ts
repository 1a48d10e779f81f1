// Judges an HTTP answer by what a check expects of it.

import type { Answer, Judgement } from './answer.ts';
import type { HttpCheck, StatusRange } from './check.ts';
import { atJsonPath, parseJsonPath } from './json-path.ts';
import { seenText } from './reason.ts';

/** `secrets`: the values of the headers that were sent, which no reason may repeat. */
export function judgeAnswer(check: HttpCheck, answer: Answer, secrets: readonly string[]): Judgement {
  const problems = [
    ...statusProblems(check, answer, secrets),
    ...headerProblems(check, answer, secrets),
    ...bodyProblems(check, answer, secrets),
  ];
  if (problems.length === 0) return { passed: true, reason: `status ${answer.status}` };
  return { passed: false, reason: problems.join('; ') };
}

/** Whether the check looks into the body, so that it has to be kept. */
export function looksIntoBody(check: HttpCheck): boolean {
  return check.contains !== undefined || Object.keys(check.expectJson).length > 0;
}

/** `200-299, 404`. */
export function statusText(ranges: readonly StatusRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

function statusProblems(check: HttpCheck, { status, headers }: Answer, secrets: readonly string[]): readonly string[] {
  if (check.status.some(({ from, to }) => status >= from && status <= to)) return [];
  const location = headers['location'];
  const redirect =
    status >= 300 && status < 400 && location !== undefined
      ? `, a redirect to ${seenText(location, secrets)}, which is not followed`
      : '';
  return [`expected status ${statusText(check.status)}, got ${status}${redirect}`];
}

function headerProblems(check: HttpCheck, answer: Answer, secrets: readonly string[]): readonly string[] {
  return Object.entries(check.expectHeaders).flatMap(([name, expected]) => {
    const seen = Object.hasOwn(answer.headers, name) ? answer.headers[name] : undefined;
    if (seen?.includes(expected) === true) return [];
    const got = seen === undefined ? 'there is no such header' : `got ${seenText(seen, secrets)}`;
    return [`expected the header ${name} to contain ${seenText(expected, secrets)}, ${got}`];
  });
}

function bodyProblems(check: HttpCheck, answer: Answer, secrets: readonly string[]): readonly string[] {
  if (!looksIntoBody(check)) return [];
  if (!answer.complete) return ['the answer is too long to look into'];
  const encoding = answer.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return [`the answer is encoded as ${seenText(encoding, secrets)}, which was not asked for`];
  }
  const { contains } = check;
  const missing = contains !== undefined && !answer.body.includes(contains);
  const text = missing
    ? [`expected the answer to contain ${seenText(contains, secrets)}, got ${seenText(answer.body, secrets)}`]
    : [];
  return [...text, ...jsonProblems(check, answer.body, secrets)];
}

function jsonProblems(check: HttpCheck, body: string, secrets: readonly string[]): readonly string[] {
  const expectations = Object.entries(check.expectJson);
  if (expectations.length === 0) return [];
  const json = readJson(body);
  if (json === undefined) return [`expected JSON, got ${seenText(body, secrets)}`];
  return expectations.flatMap(([text, expected]) => {
    const path = parseJsonPath(text);
    const seen = path === undefined ? undefined : atJsonPath(json.value, path);
    if (seen === expected) return [];
    const got = seen === undefined ? 'there is nothing there' : `got ${jsonText(seen, secrets)}`;
    return [`expected ${text} to be ${jsonText(expected, secrets)}, ${got}`];
  });
}

export function readJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** Texts with quotes, other single values as they are, collections by their beginning. */
function jsonText(value: unknown, secrets: readonly string[]): string {
  if (typeof value === 'string') return seenText(value, secrets);
  return typeof value === 'object' && value !== null ? seenText(JSON.stringify(value), secrets) : String(value);
}
