import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { conformanceProblem } from './conform.ts';
import { resolver } from './reference.ts';

const root = {
  components: {
    schemas: {
      Item: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'integer' }, secret: { type: 'string', writeOnly: true } },
      },
      Tree: {
        type: 'object',
        properties: { children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } },
      },
      Loop: { $ref: '#/components/schemas/Loop' },
      Round: { allOf: [{ $ref: '#/components/schemas/Round' }] },
      'odd/name~x': { type: 'boolean' },
    },
  },
};

const item = { $ref: '#/components/schemas/Item' };

/** Schema, a value that conforms, a value that does not, and what is said of it. */
const judgements: readonly (readonly [object | boolean, unknown, unknown, string])[] = [
  [{ type: 'string' }, 'a', 1, 'expected string, got 1'],
  [{ type: 'integer' }, 3, 3.5, 'expected integer, got 3.5'],
  [{ type: 'number' }, 3.5, '3', 'expected number, got "3"'],
  [{ type: 'boolean' }, false, 0, 'expected boolean, got 0'],
  [{ type: 'object' }, {}, [], 'expected object, got a list'],
  [{ type: 'array' }, [], {}, 'expected array, got a map'],
  [{ type: ['string', 'null'] }, null, 1, 'expected string or null, got 1'],
  [{ type: 'string', nullable: true }, null, 1, 'expected string, got 1'],
  [{ enum: ['a', { b: 1, c: 2 }] }, { c: 2, b: 1 }, 'd', 'expected one of ["a",{"b":1,"c":2}], got "d"'],
  [{ const: null }, null, 0, 'expected null, got 0'],
  [{ minimum: 1 }, 1, 0, '0 is too small'],
  [{ minimum: 1, exclusiveMinimum: true }, 2, 1, '1 is too small'],
  [{ exclusiveMinimum: 1 }, 1.1, 1, '1 is too small'],
  [{ maximum: 1 }, 1, 2, '2 is too large'],
  [{ exclusiveMaximum: 1 }, 0, 1, '1 is too large'],
  [{ multipleOf: 0.1 }, 0.3, 0.35, '0.35 is no multiple of 0.1'],
  [{ minLength: 2 }, '😀😀', '😀', 'expected at least 2 characters, got 1'],
  [{ maxLength: 1 }, '😀', 'ab', 'expected at most 1 characters, got 2'],
  [{ pattern: '^a+$' }, 'aa', 'b', '"b" does not match ^a+$'],
  [{ pattern: '(' }, 'x', 'x', ''],
  [{ minItems: 1 }, [1], [], 'expected 1 items, got 0'],
  [{ maxItems: 1 }, [1], [1, 2], 'expected at most 1 items, got 2'],
  [
    { uniqueItems: true },
    [{ a: 1 }, { a: 2 }],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    'an item comes twice',
  ],
  [{ items: { type: 'string' } }, ['a'], ['a', 1], '[1]: expected string, got 1'],
  [{ prefixItems: [{ type: 'string' }], items: false }, ['a'], ['a', 1], '[1]: nothing is allowed here'],
  [{ required: ['a'] }, { a: null }, {}, 'a is missing'],
  [{ minProperties: 1 }, { a: 1 }, {}, 'expected 1 members, got 0'],
  [{ maxProperties: 1 }, { a: 1 }, { a: 1, b: 2 }, 'expected at most 1 members, got 2'],
  [{ properties: { a: {} }, additionalProperties: false }, { a: 1 }, { b: 1 }, 'b: the document does not know it'],
  [{ additionalProperties: { type: 'number' } }, { a: 1 }, { a: 'x' }, 'a: expected number, got "x"'],
  [{ allOf: [{ minimum: 1 }, { maximum: 3 }] }, 2, 4, '4 is too large'],
  [
    { anyOf: [{ type: 'string' }, { type: 'null' }] },
    null,
    1,
    'it fits none of 2 alternatives; of the first: expected string, got 1',
  ],
  [{ oneOf: [{ type: 'number' }, { type: 'integer' }] }, 1.5, 1, 'it fits 2 of 2 alternatives, expected 1'],
  [{ not: { type: 'null' } }, 1, null, 'it is what it must not be'],
  [
    JSON.parse('{"if":{"type":"string"},"then":{"minLength":1},"else":{"type":"null"}}') as object,
    'a',
    '',
    'expected at least 1 characters, got 0',
  ],
  [false, undefined, 1, 'nothing is allowed here'],
  [item, { id: 1 }, { id: 'x' }, 'id: expected integer, got "x"'],
  [{ $ref: '#/components/schemas/Item', nullable: true }, null, {}, 'id is missing'],
  [{ type: 'array', items: item }, [{ id: 1 }], [{ id: 1 }, {}], '[1]: id is missing'],
  [{ $ref: '#/components/schemas/odd~1name~0x' }, true, 1, 'expected boolean, got 1'],
  [
    { $ref: '#/components/schemas/Tree' },
    { children: [{ children: [] }] },
    { children: [{ children: 1 }] },
    'children[0].children: expected array, got 1',
  ],
];

for (const [schema, right, wrong, problem] of judgements) {
  test(`${JSON.stringify(schema)}: ${problem || 'is not judged'}`, () => {
    const resolve = resolver(root);
    if (right !== undefined) assert.equal(conformanceProblem(right, schema, resolve), undefined);
    assert.equal(conformanceProblem(wrong, schema, resolve) ?? '', problem);
  });
}

test('what is only sent need not be answered, even where it is required', () => {
  const schema = { required: ['secret'], properties: { secret: { type: 'string', writeOnly: true } } };
  assert.equal(conformanceProblem({}, schema, resolver(root)), undefined);
});

test('references that lead nowhere, outside or round in a circle are problems', () => {
  const resolve = resolver(root);
  for (const $ref of [
    '#/components/schemas/None',
    'other.json#/Item',
    '#/components/schemas/Loop',
    '#/a/%',
    '#/__proto__',
  ]) {
    assert.match(conformanceProblem(1, { $ref }, resolve) ?? '', /is not in the document$/, $ref);
  }
  assert.match(conformanceProblem(1, { $ref: '#/components/schemas/Round' }, resolve) ?? '', /takes too much work/);
});

test('alternatives of alternatives without end are given up on', () => {
  let schema: object = { type: 'string' };
  for (let depth = 0; depth < 40; depth += 1) schema = { anyOf: [schema, schema, schema] };
  assert.match(conformanceProblem(1, schema, resolver({})) ?? '', /takes too much work/);
});

test('a type that is none is told as what it is', () => {
  assert.equal(conformanceProblem(false, { type: { toString: {} } }, resolver({})), 'expected a map, got false');
});

test('no schema and no value make it throw', () => {
  const keywords = [
    'type',
    'enum',
    'items',
    'properties',
    'required',
    'allOf',
    'anyOf',
    'not',
    '$ref',
    'pattern',
    'minimum',
    'additionalProperties',
    'nullable',
  ];
  const schema = fc.dictionary(fc.constantFrom(...keywords), fc.jsonValue({ maxDepth: 4 }));
  fc.assert(
    fc.property(schema, fc.jsonValue({ maxDepth: 4 }), (given, value) => {
      const problem = conformanceProblem(value, given, resolver(given));
      assert.ok(problem === undefined || problem !== '');
    }),
    { numRuns: 500 },
  );
});
