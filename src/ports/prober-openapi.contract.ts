// What every prober must do with an OpenAPI document; a part of the prober contract.

import assert from 'node:assert/strict';
import type { CheckOutcome } from '../core/validation/check.ts';
import { type ContractPages, limits, type ProberHarness, type Within } from './prober-harness.ts';

const item = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } };

function openApiDocument(paths: object): string {
  return JSON.stringify({ openapi: '3.0.3', paths, components: { schemas: { Item: item } } });
}

export function openApiCases(within: Within): void {
  const probe = async (harness: ProberHarness, document: string, pages: ContractPages): Promise<CheckOutcome> => {
    const target = await harness.serve({ '/openapi.json': [{ body: document }], ...pages });
    const check = { ...limits, kind: 'openapi', url: '/openapi.json', maxPaths: 50 } as const;
    return harness.until(harness.prober.probe(check, target));
  };
  const json = { 'content-type': 'application/json' };
  const schema = { $ref: '#/components/schemas/Item' };
  const operation = { get: { responses: { 200: { description: 'ok', content: { 'application/json': { schema } } } } } };

  within('a document whose paths answer as it says passes', async (harness) => {
    const document = openApiDocument({ '/item': operation, '/items/{id}': operation });
    const outcome = await probe(harness, document, { '/item': [{ headers: json, body: '{"id":1}' }] });
    assert.equal(outcome.name, 'openapi /openapi.json');
    assert.deepEqual(
      [outcome.passed, outcome.reason],
      [true, 'OpenAPI 3.0.3: 1 paths answer as declared; not asked: 1 need parameters'],
    );
  });

  within('a document may be YAML', async (harness) => {
    const yaml = 'openapi: 3.1.0\npaths:\n  /ping:\n    get:\n      responses:\n        "204": {description: none}\n';
    const outcome = await probe(harness, yaml, { '/ping': [{ status: 204 }] });
    assert.equal(outcome.passed, true, outcome.reason);
  });

  within('a status that is not declared fails, and so does a body that does not conform', async (harness) => {
    const document = openApiDocument({ '/item': operation });
    const status = await probe(harness, document, { '/item': [{ status: 404 }] });
    assert.equal(status.reason, 'GET /item: got status 404, declared 200');
    const body = await probe(harness, document, { '/item': [{ headers: json, body: '{"id":"1"}' }] });
    assert.equal(body.passed, false);
    assert.equal(body.reason, 'GET /item: the answer is not as declared: id: expected integer, got "1"');
  });

  within('what is no OpenAPI 3 document, or none at all, fails', async (harness) => {
    assert.equal(
      (await probe(harness, '{"swagger":"2.0"}', {})).reason,
      'it is no OpenAPI 3 document (it is Swagger 2.0)',
    );
    assert.match((await probe(harness, '{"a": [', {})).reason, /^the document is neither JSON nor YAML: /);
    const check = { ...limits, kind: 'openapi', url: '/none', maxPaths: 50 } as const;
    const missing = await harness.until(harness.prober.probe(check, await harness.serve({})));
    assert.equal(missing.reason, 'expected the document with status 200, got 404');
  });
}
