import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatePresets } from '../core/gate/statistics/settings.ts';
import { Failure } from '../base/failure.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import { parseConfig } from './parse.ts';
import { resolveEnvironment } from './resolve.ts';

const base = `service: shop
release: { directory: ./dist, command: node server.js }
router: { embedded: { listen: 8080 } }
`;

function resolved(text: string, environment = 'production'): DeploySpec {
  return resolveEnvironment(parseConfig(base + text, 'sluice.yaml'), environment, '/app');
}

test('the smallest file comes to a whole specification', () => {
  const limits = [
    { kind: 'absolute', metric: 'errorRate', bound: 'max', limit: 0.05, minSamples: 50 },
    { kind: 'absolute', metric: 'availability', bound: 'min', limit: 0.95, minSamples: 50 },
    { kind: 'absolute', metric: 'p95', bound: 'max', limit: 3000, minSamples: 50 },
  ];
  assert.deepEqual(resolved(''), {
    scope: { service: 'shop', environment: 'production' },
    source: { kind: 'directory', directory: '/app/dist', ignore: ['.git', '.sluice'] },
    run: { command: ['node', 'server.js'], environment: {}, workingDirectory: '.', limits: {} },
    instances: 1,
    minAvailable: 1,
    health: { intervalMs: 1000, withinMs: 1000, timeoutMs: 300_000, successes: 1 },
    validation: [],
    strategy: { kind: 'blue-green', switchDelayMs: 0, observeMs: 30_000, keepOldMs: 600_000, promotion: 'automatic' },
    gates: [compare, ...limits],
    watch: { forMs: 900_000, checks: limits, healthFailingMs: 120_000 },
    platform: { driver: 'process' },
    router: {
      driver: 'embedded',
      listen: { host: '0.0.0.0', port: 8080 },
      limits: { headerBytes: 16_384, idleMs: 60_000, answerMs: 60_000 },
      trustForwarded: false,
    },
    drainMs: 30_000,
    stopGraceMs: 10_000,
    keepReleases: 5,
  });
});

test('paths are relative to the directory of the file', () => {
  const spec = resolveEnvironment(
    parseConfig(
      `service: shop
release: { directory: ../build, command: [./run] }
env: { TOKEN: { fromFile: secrets/token }, HOME_URL: { fromEnvironment: HOME_URL }, MODE: fast }
validate: [{ command: { run: ./check.sh, workingDirectory: scripts } }]
router: { embedded: { listen: "[::1]:443", tls: { certificate: tls/cert.pem, key: /etc/key.pem } } }
`,
      'sluice.yaml',
    ),
    'production',
    '/srv/shop/deploy',
  );
  assert.deepEqual(spec.source, { kind: 'directory', directory: '/srv/shop/build', ignore: ['.git', '.sluice'] });
  assert.deepEqual(spec.run.environment, {
    TOKEN: { fromFile: '/srv/shop/deploy/secrets/token' },
    HOME_URL: { fromEnvironment: 'HOME_URL' },
    MODE: 'fast',
  });
  assert.deepEqual(spec.validation, [
    {
      kind: 'command',
      command: ['./check.sh'],
      workingDirectory: '/srv/shop/deploy/scripts',
      withinMs: 30_000,
      attempts: 3,
      pauseMs: 500,
    },
  ]);
  assert.ok(spec.router.driver === 'embedded');
  assert.deepEqual(spec.router.listen, { host: '::1', port: 443 });
  assert.deepEqual(spec.router.tls, { certificate: '/srv/shop/deploy/tls/cert.pem', key: '/etc/key.pem' });
});

test('a canary’s stages take their hold from the strategy where they have none of their own', () => {
  const { strategy } = resolved(`strategy:
  canary:
    stages: [0.5%, { share: 12.34%, hold: { requests: 0 } }, { share: 50%, hold: { atLeast: 5m } }, 100%]
    hold: { atLeast: 90s, requests: 20 }
    promotion: manual
    sticky: {}
    match: [{ header: X-Canary, equals: "yes" }, { cookie: tester, equals: "1" }]
`);
  assert.deepEqual(strategy, {
    kind: 'canary',
    stages: [
      { share: 50, holdMs: 90_000, requests: 20 },
      { share: 1234, holdMs: 90_000, requests: 0 },
      { share: 5000, holdMs: 300_000, requests: 20 },
      { share: 10_000, holdMs: 90_000, requests: 20 },
    ],
    maxHoldMs: 3_600_000,
    keepOldMs: 600_000,
    promotion: 'manual',
    sticky: { cookie: 'sluice', maxAgeMs: 3_600_000 },
    match: [
      { header: 'x-canary', equals: 'yes' },
      { cookie: 'tester', equals: '1' },
    ],
  });
});

test('a strategy’s name alone stands for its defaults', () => {
  assert.deepEqual(resolved('strategy: rolling').strategy, {
    kind: 'rolling',
    maxSurge: 1,
    maxUnavailable: 0,
    observeMs: 5000,
  });
  assert.deepEqual(resolved('strategy: canary').strategy, resolved('strategy: { canary: {} }').strategy);
});

const compare = { kind: 'statistical', preset: 'default', gate: gatePresets.default };

test('where both releases have traffic the default gate is the statistical comparison', () => {
  const alive = { kind: 'absolute', metric: 'availability', bound: 'min', limit: 0.95, minSamples: 50 };
  assert.deepEqual(resolved('strategy: canary').gates, [compare, alive]);
  assert.deepEqual(resolved('strategy: rolling\ninstances: 3').gates, [compare, alive]);
  for (const text of ['strategy: rolling', 'strategy: { canary: { stages: [100%] } }', 'strategy: blue-green']) {
    const [first, ...others] = resolved(text).gates;
    assert.deepEqual(first, compare, text);
    assert.deepEqual(new Set(others.map((gate) => gate.kind)), new Set(['absolute']), text);
  }
});

test('the comparison has presets, and settings that differ from one', () => {
  const gateOf = (text: string) =>
    resolved(`strategy: canary\ngates: { compare: ${text} }`).gates.find((gate) => gate.kind === 'statistical');
  assert.deepEqual(gateOf('strict'), { kind: 'statistical', preset: 'strict', gate: gatePresets.strict });
  assert.deepEqual(gateOf('{ preset: lenient }')?.gate, gatePresets.lenient);
  const own = gateOf(
    '{ falseAborts: 2%, wrongPasses: 1%, warmUp: 5s, latencyFloor: 3ms, minBadRequests: 4, guard: 3%, margins: [{ upTo: 10%, errors: 2%, p95: 3%, p99: 1% }, { errors: 1%, p95: 2%, p99: 1% }] }',
  );
  assert.equal(own?.preset, 'default, with settings of its own');
  assert.deepEqual(own?.gate, {
    ...gatePresets.default,
    alpha: 0.02,
    beta: 0.01,
    warmUpMs: 5_000,
    latencyFloorMs: 3,
    minBadEvents: 4,
    guard: { memory: 200, rate: 0.03 },
    margins: [
      { upToShare: 1_000, errors: 0.02, p95: 0.03, p99: 0.01 },
      { upToShare: 10_000, errors: 0.01, p95: 0.02, p99: 0.01 },
    ],
  });
});

test('without the comparison, the default gates of releases that both have traffic are limits against stable', () => {
  const compared = [
    { kind: 'relative', metric: 'errorRate', unit: 'points', limit: 0.05, minSamples: 50 },
    { kind: 'absolute', metric: 'availability', bound: 'min', limit: 0.95, minSamples: 50 },
    { kind: 'relative', metric: 'p95', unit: 'points', limit: 3000, minSamples: 50 },
  ];
  const off = 'gates: { compare: off }';
  assert.deepEqual(resolved(`strategy: canary\n${off}`).gates, compared);
  assert.deepEqual(resolved(`strategy: rolling\ninstances: 3\n${off}`).gates, compared);
  for (const text of ['strategy: rolling', 'strategy: { canary: { stages: [100%] } }', 'strategy: blue-green']) {
    assert.ok(
      resolved(`${text}\n${off}`).gates.every((gate) => gate.kind === 'absolute'),
      text,
    );
  }
});

test('a gate that is given replaces its default, and off removes it', () => {
  const { gates } = resolved(`strategy: canary
gates:
  compare: off
  minSamples: 10
  errorRate: { max: 1%, worseThanStable: 0.5% }
  availability: off
  p95: { worseThanStable: 20%, minSamples: 200 }
  p99: { max: 5s, worseThanStable: 500ms }
  requestRate: { min: 60/m }
`);
  assert.deepEqual(gates, [
    { kind: 'absolute', metric: 'errorRate', bound: 'max', limit: 0.01, minSamples: 10 },
    { kind: 'relative', metric: 'errorRate', unit: 'points', limit: 0.005, minSamples: 10 },
    { kind: 'relative', metric: 'p95', unit: 'factor', limit: 0.2, minSamples: 200 },
    { kind: 'absolute', metric: 'p99', bound: 'max', limit: 5000, minSamples: 10 },
    { kind: 'relative', metric: 'p99', unit: 'points', limit: 500, minSamples: 10 },
    { kind: 'absolute', metric: 'requestRate', bound: 'min', limit: 1, minSamples: 0 },
  ]);
});

test('what the watch looks at can be set and switched off', () => {
  const { watch } = resolved('watch: { for: 0s, errorRate: off, p95: 750ms, healthFailing: 30s, minSamples: 5 }');
  assert.deepEqual(watch, {
    forMs: 0,
    checks: [
      { kind: 'absolute', metric: 'availability', bound: 'min', limit: 0.95, minSamples: 5 },
      { kind: 'absolute', metric: 'p95', bound: 'max', limit: 750, minSamples: 5 },
    ],
    healthFailingMs: 30_000,
  });
});

test('short and long forms of checks come to the same', () => {
  const short = resolved(
    'validate: [{ http: /live }, { http: "https://db/x" }, { tcp: "db:5432" }, { command: ./a b }, { openapi: /o.json }]',
  );
  const long = resolved(`validate:
  - http: { path: /live }
  - http: { url: https://db/x }
  - tcp: { address: db:5432 }
  - command: { run: [./a, b] }
  - openapi: { path: /o.json }
`);
  assert.deepEqual(short.validation, long.validation);
});

test('a request’s expectations are all carried over', () => {
  const { validation } = resolved(`validate:
  - http:
      path: /api/items?limit=1
      method: POST
      headers: { Authorization: { fromFile: ./token }, X-Key: { fromEnvironment: KEY }, X-Trial: one }
      body: "{}"
      status: [201, 300-308]
      expectHeaders: { Content-Type: json }
      expectJson: { "items[0].id": 7, ok: true, none: null }
      contains: seven
      concurrency: 20
      within: 250ms
      retries: 0
      pause: 0s
`);
  assert.deepEqual(validation, [
    {
      kind: 'http',
      url: '/api/items?limit=1',
      method: 'POST',
      headers: { Authorization: { fromFile: '/app/token' }, 'X-Key': { fromEnvironment: 'KEY' }, 'X-Trial': 'one' },
      body: '{}',
      status: [
        { from: 201, to: 201 },
        { from: 300, to: 308 },
      ],
      expectHeaders: { 'content-type': 'json' },
      expectJson: { 'items[0].id': 7, ok: true, none: null },
      contains: 'seven',
      concurrency: 20,
      withinMs: 250,
      attempts: 1,
      pauseMs: 0,
    },
  ]);
});

test('an answer may take as long as the pause between two questions, but no longer than five seconds by default', () => {
  assert.equal(resolved('health: { interval: 200ms }').health.withinMs, 200);
  assert.equal(resolved('health: { interval: 60s }').health.withinMs, 5000);
});

test('an environment’s settings are laid over the service’s: named maps by name, everything else as a whole', () => {
  const text = `env: { A: service, B: service }
health: { path: /ready, interval: 2s }
gates: { errorRate: { max: 1%, minSamples: 9 }, p99: { max: 9s } }
validate: [{ http: /one }, { http: /two }]
strategy: { canary: { hold: { requests: 7 }, promotion: manual } }
environments:
  staging:
    env: { B: staging }
    health: { tcp: true }
    gates: { errorRate: { max: 2% } }
    validate: [{ http: /three }]
    strategy: { canary: { promotion: automatic } }
  production:
    router: { embedded: { listen: 80 } }
`;
  const [staging, production] = [resolved(text, 'staging'), resolved(text)];
  assert.deepEqual(staging.run.environment, { A: 'service', B: 'staging' });
  assert.deepEqual(production.run.environment, { A: 'service', B: 'service' });
  assert.equal(staging.health.path, undefined);
  assert.equal(staging.health.intervalMs, 2000);
  assert.equal(production.health.path, '/ready');
  assert.deepEqual(
    staging.gates.filter(
      (gate) =>
        gate.kind !== 'query' && gate.kind !== 'statistical' && gate.metric !== 'availability' && gate.metric !== 'p95',
    ),
    [
      { kind: 'absolute', metric: 'errorRate', bound: 'max', limit: 0.02, minSamples: 50 },
      { kind: 'absolute', metric: 'p99', bound: 'max', limit: 9000, minSamples: 50 },
    ],
  );
  assert.deepEqual(
    staging.validation.map((check) => check.kind === 'http' && check.url),
    ['/three'],
  );
  assert.ok(staging.strategy.kind === 'canary' && production.strategy.kind === 'canary');
  assert.equal(staging.strategy.stages[0]?.requests, 100);
  assert.equal(production.strategy.stages[0]?.requests, 7);
});

test('an unknown environment is refused with the one that was meant and all there are', () => {
  const config = parseConfig(
    `${base}environments: { staging: {}, production: { router: { embedded: { listen: 80 } } } }`,
    'sluice.yaml',
  );
  assert.deepEqual(Object.keys(config.environments), ['staging', 'production']);
  const attempt = (name: string) => () => resolveEnvironment(config, name, '/app');
  assert.throws(attempt('stagin'), (thrown) => {
    assert.ok(thrown instanceof Failure);
    assert.equal(thrown.code, 'usage');
    assert.equal(thrown.message, 'There is no environment "stagin" in the configuration');
    assert.equal(thrown.remedy, 'Did you mean "staging"? The configuration has staging, production.');
    return true;
  });
  for (const name of ['__proto__', 'constructor', '']) assert.throws(attempt(name), Failure);
});

test('two environments may have one port on different addresses', () => {
  const config = parseConfig(
    `service: shop
release: { directory: ., command: x }
environments:
  a: { router: { embedded: { listen: "127.0.0.1:8080" } } }
  b: { router: { embedded: { listen: "127.0.0.2:8080" } } }
`,
    'sluice.yaml',
  );
  assert.deepEqual(Object.keys(config.environments), ['a', 'b']);
});
