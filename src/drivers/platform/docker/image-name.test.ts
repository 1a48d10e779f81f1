import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameRepository, registryOf, repositoryOf } from './image-name.ts';

const hub = 'https://index.docker.io/v1/';

for (const [reference, repository, registry] of [
  ['redis:7.2', 'redis', hub],
  ['acme/shop:1.0', 'acme/shop', hub],
  ['docker.io/acme/shop:1.0', 'docker.io/acme/shop', hub],
  ['index.docker.io/acme/shop:1.0', 'index.docker.io/acme/shop', hub],
  ['ghcr.io/acme/shop:1.0', 'ghcr.io/acme/shop', 'ghcr.io'],
  ['registry:5000/shop', 'registry:5000/shop', 'registry:5000'],
  ['registry:5000/shop:1.0@sha256:abc', 'registry:5000/shop', 'registry:5000'],
  ['localhost/shop:1.0', 'localhost/shop', 'localhost'],
] as const) {
  test(`${reference} is ${repository} of ${registry}`, () => {
    assert.equal(repositoryOf(reference), repository);
    assert.equal(registryOf(reference), registry);
  });
}

for (const [had, asked] of [
  ['redis', 'redis'],
  ['docker.io/library/redis', 'redis'],
  ['redis', 'docker.io/library/redis'],
  ['acme/shop', 'docker.io/acme/shop'],
  ['acme/shop', 'index.docker.io/acme/shop'],
  ['ghcr.io/acme/shop', 'ghcr.io/acme/shop'],
  ['localhost/shop', 'shop'],
  ['localhost/acme/shop', 'acme/shop'],
] as const) {
  test(`an engine that has ${had} has ${asked}`, () => assert.ok(isSameRepository(had, asked)));
}

for (const [had, asked] of [
  ['registry.example.com/shop', 'shop'],
  ['registry.example.com/acme/shop', 'acme/shop'],
  ['registry.example.com/library/redis', 'redis'],
  ['acme/shop', 'shop'],
  ['localhost/shop', 'docker.io/shop'],
  ['localhost/shop', 'registry.example.com/shop'],
] as const) {
  test(`an engine that has ${had} may not have ${asked}`, () => assert.ok(!isSameRepository(had, asked)));
}
