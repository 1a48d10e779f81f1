// Judges an answer by what an OpenAPI document promises for its path.

import type { Answer } from '../answer.ts';
import { readJson } from '../judge-answer.ts';
import { seenText } from '../reason.ts';
import { conformanceProblem } from './conform.ts';
import type { Question } from './plan.ts';
import { type Members, membersOf, type Resolve } from './reference.ts';

/** What is wrong with the answer; undefined when it is as promised. */
export function promiseProblem({ responses }: Question, answer: Answer, resolve: Resolve): string | undefined {
  const promised = membersOf(resolve(promiseFor(responses, answer.status)));
  if (promised === undefined) {
    return `got status ${answer.status}, declared ${Object.keys(responses).join(', ').slice(0, 100) || 'are none'}`;
  }
  const content = membersOf(promised['content']) ?? {};
  const promisedTypes = Object.keys(content);
  if (promisedTypes.length === 0) return undefined;
  const type = mediaType(answer.headers['content-type'] ?? '');
  const fitting = promisedTypes.find((range) => inRange(type, mediaType(range)));
  if (fitting === undefined) {
    return `got the content type ${seenText(type, [])}, declared ${promisedTypes.join(', ').slice(0, 100)}`;
  }
  return bodyProblem(membersOf(content[fitting]), type, answer, resolve);
}

/** A status by its number, then by its hundred, then any; an error of the service itself has to be promised by name. */
function promiseFor(responses: Members, status: number): unknown {
  const own =
    responses[String(status)] ??
    responses[`${Math.floor(status / 100)}XX`] ??
    responses[`${Math.floor(status / 100)}xx`];
  return own ?? (status >= 500 ? undefined : responses['default']);
}

function bodyProblem(media: Members | undefined, type: string, answer: Answer, resolve: Resolve): string | undefined {
  const schema = media?.['schema'];
  if (schema === undefined || !/^application\/(?:.*\+)?json$/.test(type)) return undefined;
  if (!answer.complete) return 'the answer is too long to judge';
  const json = readJson(answer.body);
  if (json === undefined) return `expected JSON, got ${seenText(answer.body, [])}`;
  const problem = conformanceProblem(json.value, schema, resolve);
  return problem === undefined ? undefined : `the answer is not as declared: ${problem}`;
}

/** `application/json` of `application/json; charset=utf-8`. */
function mediaType(text: string): string {
  return (text.split(';', 1)[0] ?? '').trim().toLowerCase();
}

function inRange(type: string, range: string): boolean {
  if (range === '*/*' || range === type) return true;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1));
}
