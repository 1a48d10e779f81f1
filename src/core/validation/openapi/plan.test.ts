import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type OpenApiPlan, planQuestions } from './plan.ts';

const responses = { 200: { description: 'ok' } };

function planned(document: object, maxPaths = 50): OpenApiPlan {
  const plan = planQuestions({ openapi: '3.0.3', ...document }, maxPaths);
  assert.ok(plan.kind === 'plan', JSON.stringify(plan));
  return plan;
}

function paths(document: object): readonly string[] {
  return planned(document).questions.map((question) => question.path);
}

function withParameters(...parameters: readonly object[]): object {
  return { paths: { '/a/{id}': { get: { parameters, responses } } } };
}

test('only what can be read is asked', () => {
  assert.deepEqual(
    paths({ paths: { '/a': { get: { responses } }, '/b': { post: { responses } }, '/c': {}, 'x-note': { get: {} } } }),
    ['/a'],
  );
});

test('required parameters are filled from examples and defaults, others are left out', () => {
  const id = { name: 'id', in: 'path', required: true };
  const cases: readonly (readonly [object, readonly string[]])[] = [
    [withParameters({ ...id, example: 7 }), ['/a/7']],
    [withParameters({ ...id, examples: { one: { value: 'x y/z' } } }), ['/a/x%20y%2Fz']],
    [withParameters({ ...id, schema: { example: 'e' } }), ['/a/e']],
    [withParameters({ ...id, schema: { examples: ['first', 'second'] } }), ['/a/first']],
    [withParameters({ ...id, schema: { default: false } }), ['/a/false']],
    [withParameters({ ...id, schema: { default: [1] } }), []],
    [withParameters(id), []],
    [withParameters(), []],
    [
      withParameters({ ...id, example: 1 }, { name: 'q', in: 'query', required: true, example: 'a&b' }),
      ['/a/1?q=a%26b'],
    ],
    [withParameters({ ...id, example: 1 }, { name: 'q', in: 'query', example: 'x' }), ['/a/1']],
    [withParameters({ ...id, example: 1 }, { name: 'c', in: 'cookie', required: true, example: 'x' }), []],
    [withParameters({ ...id, example: '$&' }), ['/a/%24%26']],
  ];
  for (const [document, expected] of cases) assert.deepEqual(paths(document), expected, JSON.stringify(document));
});

test('required headers are sent, unless they could not be', () => {
  const header = (example: string): object => ({ name: 'X-Trial', in: 'header', required: true, example });
  const document = (example: string): object => ({
    paths: { '/a': { get: { parameters: [header(example)], responses } } },
  });
  assert.deepEqual(planned(document('one')).questions[0]?.headers, { 'x-trial': 'one' });
  assert.deepEqual(paths(document('one\r\nx: two')), []);
});

test('an operation’s parameter replaces its path’s', () => {
  const item = {
    parameters: [{ name: 'id', in: 'path', required: true }],
    get: { parameters: [{ $ref: '#/components/parameters/Id' }], responses },
  };
  const components = { parameters: { Id: { name: 'id', in: 'path', required: true, example: 'own' } } };
  assert.deepEqual(paths({ paths: { '/a/{id}': item }, components }), ['/a/own']);
});

test('what needs credentials is not asked, what can do without is', () => {
  const get = (security?: object): object => ({ get: { responses, ...(security === undefined ? {} : { security }) } });
  const document = { security: [{ key: [] }], paths: { '/a': get(), '/b': get([]), '/c': get([{ key: [] }, {}]) } };
  const plan = planned(document);
  assert.deepEqual(
    plan.questions.map((question) => question.path),
    ['/b', '/c'],
  );
  assert.deepEqual(plan.skipped, { parameters: 0, credentials: 1, beyondLimit: 0 });
});

test('the path of the server is put before, its host is not used', () => {
  const of = (url: string, variables?: object): readonly string[] =>
    paths({ servers: [{ url, variables }], paths: { '/a': { get: { responses } } } });
  assert.deepEqual(of('https://api.example.com/v1/'), ['/v1/a']);
  assert.deepEqual(of('/v2'), ['/v2/a']);
  assert.deepEqual(of('https://{region}.example.com/{base}', { region: { default: 'eu' }, base: { default: 'v3' } }), [
    '/v3/a',
  ]);
  assert.deepEqual(of('//'), ['/a']);
});

test('no more paths than allowed are asked', () => {
  const all = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`/p${index}`, { get: { responses } }]));
  const plan = planned({ paths: all }, 3);
  assert.equal(plan.questions.length, 3);
  assert.equal(plan.skipped.beyondLimit, 7);
});

test('what is no OpenAPI 3 document is unfit', () => {
  const reasons = [null, [], 'text', {}, { swagger: '2.0' }, { openapi: 3 }, { openapi: '4.0.0' }].map((document) => {
    const plan = planQuestions(document, 50);
    return plan.kind === 'unfit' ? plan.reason : 'a plan';
  });
  assert.deepEqual(reasons, [
    'it is no OpenAPI 3 document',
    'it is no OpenAPI 3 document',
    'it is no OpenAPI 3 document',
    'it is no OpenAPI 3 document',
    'it is no OpenAPI 3 document (it is Swagger 2.0)',
    'it is no OpenAPI 3 document',
    'it is OpenAPI 4.0.0, expected 3',
  ]);
});

test('every path that is asked begins with a slash, whatever the document', () => {
  const name = fc.oneof(fc.constantFrom('/a', '/{id}', '//x', '@x', '/a/{id}/{id}'), fc.string());
  const document = fc.record({
    paths: fc.dictionary(name, fc.record({ get: fc.jsonValue() })),
    servers: fc.jsonValue(),
    security: fc.jsonValue(),
  });
  fc.assert(
    fc.property(document, (value) => {
      const plan = planQuestions({ openapi: '3.1.0', ...value }, 50);
      assert.ok(plan.kind === 'plan' && plan.questions.every((question) => question.path.startsWith('/')));
    }),
  );
});
