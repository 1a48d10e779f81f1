import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedName, nameFacts, namesOf, slotFacts, slotName, slotOf } from './names.ts';

const realm = { scope: { service: 'shop', environment: 'production' }, owner: 'k3v9qp' };
const release = 'shop@3f9c2a1b7d04';

test('what a name says is read back, with the slash that the engine puts before it', () => {
  const slot = slotName(realm, release, 2);
  assert.equal(slot, 'shop.production.3f9c2a1b7d04.2.k3v9qp');
  const facts = { restarts: 3, deployment: 'd-20261121-100819-t85rd', adopted: 8080, ended: true };
  for (const name of [changedName(slot, facts, 'ab12'), `/${changedName(slot, facts, 'ab12')}`]) {
    assert.deepEqual(nameFacts(name), facts);
    assert.deepEqual(slotFacts(realm, name), { release, number: 2 });
    assert.equal(slotOf(name), slot);
    assert.match(name, new RegExp(namesOf(realm)));
  }
  assert.deepEqual(nameFacts(slot), { restarts: 0, ended: false });
  assert.match(`/${slot}`, new RegExp(namesOf(realm)));
});

test('names of other scopes, other owners and other people are none of ours', () => {
  const strangers = [
    'shop.staging.3f9c2a1b7d04.2.k3v9qp',
    'shop.production.3f9c2a1b7d04.2.other1',
    'shopx.production.3f9c2a1b7d04.2.k3v9qp',
    'shop.production.3f9c2a1b7d04.0.k3v9qp',
    'shop.production.short.2.k3v9qp',
    'shop',
    '',
  ];
  for (const name of strangers) assert.equal(slotFacts(realm, name), undefined, name);
});
