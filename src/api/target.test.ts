// What a request becomes in path and query comes back as the same request.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fieldsOf, targetOf } from './target.ts';

function roundTrip(path: string, request: object): unknown {
  const url = new URL(targetOf({ method: 'GET', path }, request).path, 'http://localhost');
  return fieldsOf({}, url.searchParams);
}

it('a query comes back with its types', () => {
  for (const request of [
    {},
    { scope: { service: 'shop', environment: 'production' } },
    { scope: { service: 'a', environment: 'b' }, limit: 5 },
    { deployment: 'd-1 &=?#/ü', after: 0 },
    { lastLines: 100, follow: false, instance: 'true', release: '17' },
  ]) {
    assert.deepEqual(roundTrip('/v1/x', request), request);
  }
});

it('undefined fields are left out, wrong numbers stay text for the schema to refuse', () => {
  assert.equal(targetOf({ method: 'GET', path: '/v1/x' }, { scope: undefined, limit: 1 }).path, '/v1/x?limit=1');
  assert.deepEqual(fieldsOf({}, new URLSearchParams('limit=1e3&after=-1&follow=yes')), {
    limit: '1e3',
    after: '-1',
    follow: 'yes',
  });
  assert.deepEqual(fieldsOf({}, new URLSearchParams('limit=1&limit=2')), { limit: ['1', '2'] });
});

it('a parameter of the path is encoded and not sent twice', () => {
  const target = targetOf({ method: 'GET', path: '/v1/deployments/:deployment' }, { deployment: 'a/../b?c' });
  assert.deepEqual(target, { path: '/v1/deployments/a%2F..%2Fb%3Fc' });
});

it('a body carries all fields of a POST', () => {
  assert.deepEqual(targetOf({ method: 'POST', path: '/v1/plan' }, { a: 1 }), { path: '/v1/plan', body: '{"a":1}' });
});
