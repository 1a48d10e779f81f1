import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../answer.ts';
import { promiseProblem } from './judge.ts';
import type { Question } from './plan.ts';
import { resolver } from './reference.ts';

const root = { components: { responses: { Ok: { description: 'ok' } } } };

function judged(responses: Question['responses'], answer: Partial<Answer>): string | undefined {
  const question: Question = { template: '/a', path: '/a', headers: {}, responses };
  const whole: Answer = { kind: 'answer', status: 200, headers: {}, body: '', complete: true, ...answer };
  return promiseProblem(question, whole, resolver(root));
}

const ok = { description: 'ok' };
const json = { content: { 'application/json': { schema: { type: 'object' } } } };

const judgements: readonly (readonly [string, Question['responses'], Partial<Answer>, string | undefined])[] = [
  ['a status by its number', { 200: ok }, {}, undefined],
  ['a status by its hundred', { '2XX': ok }, { status: 204 }, undefined],
  ['a status by default', { default: ok }, { status: 404 }, undefined],
  [
    'an error of the service by default',
    { 200: ok, default: ok },
    { status: 500 },
    'got status 500, declared 200, default',
  ],
  ['an error of the service by its number', { 503: ok }, { status: 503 }, undefined],
  ['a response by reference', { 200: { $ref: '#/components/responses/Ok' } }, {}, undefined],
  ['a response by a reference that leads nowhere', { 200: { $ref: '#/none' } }, {}, 'got status 200, declared 200'],
  ['no responses at all', {}, {}, 'got status 200, declared are none'],
  [
    'a type with parameters',
    { 200: json },
    { headers: { 'content-type': 'Application/JSON; charset=utf-8' }, body: '{}' },
    undefined,
  ],
  [
    'another type',
    { 200: json },
    { headers: { 'content-type': 'text/html' } },
    'got the content type "text/html", declared application/json',
  ],
  ['no type', { 200: json }, {}, 'got the content type "", declared application/json'],
  ['a range of types', { 200: { content: { 'text/*': {} } } }, { headers: { 'content-type': 'text/csv' } }, undefined],
  [
    'what is not JSON',
    { 200: json },
    { headers: { 'content-type': 'application/json' }, body: '<' },
    'expected JSON, got "<"',
  ],
  [
    'JSON of another shape',
    { 200: json },
    { headers: { 'content-type': 'application/json' }, body: '[]' },
    'the answer is not as declared: expected object, got a list',
  ],
  [
    'a JSON type of its own',
    { 200: { content: { 'application/problem+json': { schema: { type: 'object' } } } } },
    { headers: { 'content-type': 'application/problem+json' }, body: '1' },
    'the answer is not as declared: expected object, got 1',
  ],
  [
    'a type without a schema',
    { 200: { content: { 'application/json': {} } } },
    { headers: { 'content-type': 'application/json' }, body: 'x' },
    undefined,
  ],
  [
    'an answer that is too long',
    { 200: json },
    { headers: { 'content-type': 'application/json' }, complete: false },
    'the answer is too long to judge',
  ],
];

for (const [name, responses, answer, problem] of judgements) {
  test(`${name}: ${problem ?? 'as promised'}`, () => {
    assert.equal(judged(responses, answer), problem);
  });
}
