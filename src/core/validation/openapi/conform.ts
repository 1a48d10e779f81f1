// Whether a JSON value is as a schema of an OpenAPI 3 document says. Formats and annotations are not judged.

import { canonicalJson } from '../../../base/canonical-json.ts';
import { type Members, membersOf, referenceOf, type Resolve } from './reference.ts';
import { numberProblem, textProblem, typeProblem } from './single-values.ts';

interface Judge {
  readonly resolve: Resolve;
  /** What is left of the work that one judgement may take: alternatives of alternatives grow without bound. */
  steps: number;
}

const mostSteps = 1_000_000;
const deepest = 200;

/** The first thing that is wrong, with its place: `items[0].id: expected integer, got "x"`; undefined when nothing is. */
export function conformanceProblem(value: unknown, schema: unknown, resolve: Resolve): string | undefined {
  return problemOf({ resolve, steps: mostSteps }, value, schema, '');
}

function problemOf(judge: Judge, value: unknown, given: unknown, place: string, depth = 0): string | undefined {
  judge.steps -= 1;
  if (judge.steps < 0 || depth > deepest) return at(place, 'the schema takes too much work to judge by');
  if (given === true || given === undefined) return undefined;
  if (given === false) return at(place, 'nothing is allowed here');
  const schema = membersOf(given);
  if (schema === undefined) return at(place, 'its schema is none');
  if (value === null && schema['nullable'] === true) return undefined;
  const inner: Inner = (part, member, where) => problemOf(judge, member, part, where, depth + 1);
  const own = typeProblem(value, schema) ?? constantProblem(value, schema) ?? singleProblem(value, schema);
  if (own !== undefined) return at(place, own);
  return (
    referredProblem(judge, value, schema, place, inner) ??
    alternativesProblem(value, schema, place, inner) ??
    collectionProblem(judge, value, schema, place, inner)
  );
}

/** What stands beside a reference counts too. */
function referredProblem(
  judge: Judge,
  value: unknown,
  schema: Members,
  place: string,
  inner: Inner,
): string | undefined {
  const reference = referenceOf(schema);
  if (reference === undefined) return undefined;
  const target = judge.resolve(schema);
  if (target === undefined) return at(place, `its schema ${reference.slice(0, 100)} is not in the document`);
  return inner(target, value, place);
}

type Inner = (schema: unknown, value: unknown, place: string) => string | undefined;

function at(place: string, problem: string): string {
  return place === '' ? problem : `${place}: ${problem}`;
}

function constantProblem(value: unknown, schema: Members): string | undefined {
  const allowed = Array.isArray(schema['enum'])
    ? schema['enum']
    : Object.hasOwn(schema, 'const')
      ? [schema['const']]
      : [];
  if (allowed.length === 0) return undefined;
  const text = canonicalJson(value);
  if (allowed.some((one) => canonicalJson(one) === text)) return undefined;
  const expected = canonicalJson(allowed.length === 1 ? allowed[0] : allowed);
  return `expected ${allowed.length === 1 ? '' : 'one of '}${expected.slice(0, 100)}, got ${text.slice(0, 60)}`;
}

function singleProblem(value: unknown, schema: Members): string | undefined {
  if (typeof value === 'number') return numberProblem(value, schema);
  return typeof value === 'string' ? textProblem(value, schema) : undefined;
}

function alternativesProblem(value: unknown, schema: Members, place: string, inner: Inner): string | undefined {
  for (const part of listOf(schema['allOf'])) {
    const problem = inner(part, value, place);
    if (problem !== undefined) return problem;
  }
  const anyOf = listOf(schema['anyOf']);
  if (anyOf.length > 0 && !anyOf.some((part) => inner(part, value, place) === undefined)) {
    return at(place, `it fits none of ${anyOf.length} alternatives; of the first: ${inner(anyOf[0], value, place)}`);
  }
  const oneOf = listOf(schema['oneOf']);
  const fitting = oneOf.filter((part) => inner(part, value, place) === undefined).length;
  if (oneOf.length > 0 && fitting !== 1)
    return at(place, `it fits ${fitting} of ${oneOf.length} alternatives, expected 1`);
  if (schema['not'] !== undefined && inner(schema['not'], value, place) === undefined) {
    return at(place, 'it is what it must not be');
  }
  if (schema['if'] === undefined) return undefined;
  return inner(inner(schema['if'], value, place) === undefined ? schema['then'] : schema['else'], value, place);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function collectionProblem(
  judge: Judge,
  value: unknown,
  schema: Members,
  place: string,
  inner: Inner,
): string | undefined {
  if (Array.isArray(value)) return listProblem(value, schema, place, inner);
  const members = membersOf(value);
  return members === undefined ? undefined : mapProblem(judge, members, schema, place, inner);
}

function listProblem(list: readonly unknown[], schema: Members, place: string, inner: Inner): string | undefined {
  const { minItems, maxItems, uniqueItems } = schema;
  if (typeof minItems === 'number' && list.length < minItems)
    return at(place, `expected ${minItems} items, got ${list.length}`);
  if (typeof maxItems === 'number' && list.length > maxItems) {
    return at(place, `expected at most ${maxItems} items, got ${list.length}`);
  }
  if (uniqueItems === true && new Set(list.map(canonicalJson)).size < list.length)
    return at(place, 'an item comes twice');
  const first = listOf(schema['prefixItems']);
  for (const [index, item] of list.entries()) {
    const problem = inner(index < first.length ? first[index] : schema['items'], item, `${place}[${index}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function mapProblem(judge: Judge, map: Members, schema: Members, place: string, inner: Inner): string | undefined {
  const properties = membersOf(schema['properties']) ?? {};
  const count = Object.keys(map).length;
  const required = listOf(schema['required']).filter((name) => typeof name === 'string');
  const missing = required.find((name) => isMissing(judge, map, properties, name));
  if (missing !== undefined) return at(place, `${missing} is missing`);
  const { minProperties, maxProperties } = schema;
  if (typeof minProperties === 'number' && count < minProperties) {
    return at(place, `expected ${minProperties} members, got ${count}`);
  }
  if (typeof maxProperties === 'number' && count > maxProperties) {
    return at(place, `expected at most ${maxProperties} members, got ${count}`);
  }
  for (const [name, member] of Object.entries(map)) {
    const where = place === '' ? name : `${place}.${name}`;
    const part = Object.hasOwn(properties, name) ? properties[name] : schema['additionalProperties'];
    const problem = part === false ? at(where, 'the document does not know it') : inner(part, member, where);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What is only ever sent to the service is not in its answers. */
function isMissing(judge: Judge, map: Members, properties: Members, name: string): boolean {
  if (Object.hasOwn(map, name)) return false;
  return membersOf(judge.resolve(properties[name]))?.['writeOnly'] !== true;
}
