import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as z from 'zod';
import type { DeploySpec } from '../core/plan/spec.ts';
import { deploySpecSchema, type deploySpecShape } from './deploy-spec-schema.ts';
import { parseConfig } from './parse.ts';
import { resolveEnvironment } from './resolve.ts';

type Readable<Value> = Value extends object ? { readonly [Key in keyof Value]: Readable<Value[Key]> } : Value;
type Complete<Value> = Value extends object ? { readonly [Key in keyof Value]-?: Complete<Value[Key]> } : Value;
type Both<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

type Parsed = z.output<typeof deploySpecShape>;

// These do not compile when the two differ: in what a field may be, or in which fields there are, optional ones included.
const sameValues: Both<Readable<Parsed>, Readable<DeploySpec>> = true;
const sameFields: Both<Complete<Parsed>, Complete<DeploySpec>> = true;

function example(extra = ''): DeploySpec {
  const text = `service: shop
release: { directory: ./dist, command: node server.js, user: www, limits: { memory: 64MiB, openFiles: 100 } }
env: { A: b, T: { fromFile: t }, E: { fromEnvironment: E } }
instances: 3
validate: [{ http: { path: /x, expectJson: { a: null } } }, { tcp: "db:5432" }, { command: ./c }, { openapi: /o }]
router: { embedded: { listen: 8080, preview: 8081, tls: { certificate: c, key: k } } }
${extra}`;
  return resolveEnvironment(parseConfig(text, 'sluice.yaml'), 'production', '/app');
}

test('the schema’s type is the specification’s', () => {
  assert.ok(sameValues && sameFields);
});

for (const strategy of [
  'blue-green',
  'canary',
  'rolling',
  '{ canary: { sticky: {}, match: [{ cookie: a, equals: b }] } }',
]) {
  test(`what the configuration resolves to passes unchanged through JSON and the schema: ${strategy}`, () => {
    const spec = example(`strategy: ${strategy}`);
    assert.deepEqual(deploySpecSchema.parse(JSON.parse(JSON.stringify(spec))), spec);
  });
}

test('port 0 stands for any free port, so that two of them do not clash', () => {
  const spec = example();
  const free = { host: '127.0.0.1', port: 0 };
  const router = { ...spec.router, listen: free, preview: free };
  assert.equal(deploySpecSchema.safeParse({ ...spec, router }).success, true);
  const taken = { ...spec.router, listen: { ...free, port: 80 }, preview: { ...free, port: 80 } };
  assert.equal(deploySpecSchema.safeParse({ ...spec, router: taken }).success, false);
});

const spoiled: readonly (readonly [string, (spec: DeploySpec) => unknown, string])[] = [
  ['an unknown field', (spec) => ({ ...spec, extra: 1 }), ''],
  [
    'a service name that leads elsewhere',
    (spec) => ({ ...spec, scope: { service: '../etc', environment: 'a' } }),
    'scope.service',
  ],
  [
    'a relative directory',
    (spec) => ({ ...spec, source: { kind: 'directory', directory: 'dist', ignore: [] } }),
    'source.directory',
  ],
  ['no instances', (spec) => ({ ...spec, instances: 0 }), 'instances'],
  ['an empty command', (spec) => ({ ...spec, run: { ...spec.run, command: [] } }), 'release.command'],
  ['an endless duration', (spec) => ({ ...spec, drainMs: Infinity }), 'drainMs'],
  [
    'stages that do not rise',
    (spec) => ({
      ...spec,
      strategy: {
        ...example('strategy: canary').strategy,
        stages: [
          { share: 10_000, holdMs: 0, requests: 0 },
          { share: 100, holdMs: 0, requests: 0 },
        ],
      },
    }),
    'strategy.canary.stages.1',
  ],
  ['more instances available than there are', (spec) => ({ ...spec, minAvailable: 4 }), 'minAvailable'],
  [
    'a moving image',
    (spec) => ({ ...spec, source: { kind: 'image', reference: 'a/b:latest', engine: { kind: 'socket', path: '/s' } } }),
    'release.image',
  ],
];

for (const [name, spoil, path] of spoiled) {
  test(`${name} is refused`, () => {
    const result = deploySpecSchema.safeParse(spoil(example()));
    assert.ok(
      result.error?.issues.some((issue) => issue.path.join('.') === path),
      JSON.stringify(result.error?.issues),
    );
  });
}
