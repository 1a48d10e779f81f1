// Each rule of the configuration: the exact place, words and remedy of its error.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, type FailureData } from '../base/failure.ts';
import { parseConfig } from './parse.ts';

const base = `service: shop
release: { directory: ./dist, command: node server.js }
router: { embedded: { listen: 8080 } }
`;

function refusal(text: string): FailureData {
  try {
    parseConfig(text, 'sluice.yaml');
  } catch (thrown) {
    assert.ok(thrown instanceof Failure, String(thrown));
    return thrown.toJSON();
  }
  return assert.fail('it was accepted');
}

interface Case {
  readonly name: string;
  /** Added to the base from line 4 on, unless `whole` is given. */
  readonly text?: string;
  readonly whole?: string;
  readonly at: string;
  readonly message: string;
  readonly remedy: string;
  readonly code?: string;
}

const cases: readonly Case[] = [
  {
    name: 'an unknown setting, with the one that was meant',
    text: 'instnces: 2',
    at: '4:1',
    message: 'instnces is not a setting',
    remedy: 'Did you mean "instances"?',
  },
  {
    name: 'a name that only the file as a whole knows',
    text: 'enviroments: {}',
    at: '4:1',
    message: 'enviroments is not a setting',
    remedy: 'Did you mean "environments"?',
  },
  {
    name: 'an unknown setting that is like none, with all there are',
    text: 'health: { qqqqqq: 1 }',
    at: '4:11',
    message: 'health.qqqqqq is not a setting',
    remedy: 'Known here: path, tcp, interval, within, timeout, successes.',
  },
  {
    name: 'a wrong unit',
    text: 'health:\n  path: /\n  timeout: 300',
    at: '6:12',
    message: 'health.timeout: 300 is not a duration',
    remedy: 'Add the unit: 300s for seconds, 300ms for milliseconds.',
  },
  {
    name: 'a setting without a value',
    text: 'health:\n  interval:',
    at: '5:12',
    message: 'health.interval has no value',
    remedy: 'Give it one, or remove the line.',
  },
  {
    name: 'a number for a variable, without repeating it',
    text: 'env: { PIN: 1234 }',
    at: '4:13',
    message: 'env.PIN: the value is neither text nor a source of it',
    remedy: 'Write text (numbers in quotes), { fromFile: path } or { fromEnvironment: NAME }.',
  },
  {
    name: 'two sources for a variable',
    text: 'env: { PIN: { fromFile: a, fromEnvironment: B } }',
    at: '4:13',
    message: 'env.PIN: a map of settings does not name exactly one source of a value',
    remedy: 'Write fromFile or fromEnvironment under it.',
  },
  {
    name: 'a variable that Sluice gives',
    text: 'env: { PORT: "80" }',
    at: '4:14',
    message: 'env.PORT: every instance is given this variable by Sluice',
    remedy: 'Remove it; the program reads what Sluice sets.',
  },
  {
    name: 'a name that cannot be a variable',
    text: 'env: { a b: x }',
    at: '4:8',
    message: 'env["a b"]: "a b" is not the name of a variable',
    remedy: 'Use letters, digits and underscores.',
  },
  {
    name: 'a missing start command',
    whole: 'service: s\nrelease: { directory: . }\nrouter: { embedded: { listen: 1 } }',
    at: '2:10',
    message: 'release.command: the start command is missing',
    remedy: 'Write the program that starts an instance, such as command: node server.js.',
  },
  {
    name: 'a start command that needs a shell',
    whole:
      'service: s\nrelease: { directory: ., command: npm run build && npm start }\nrouter: { embedded: { listen: 1 } }',
    at: '2:35',
    message: 'release.command: "npm run build && npm start" needs a shell for its &',
    remedy:
      'No shell runs it: write a list such as ["sh", "-c", "exec program --port $PORT"], or put the text in single quotes to pass it on as it is.',
  },
  {
    name: 'a missing release directory',
    whole: 'service: s\nrelease: { command: x }\nrouter: { embedded: { listen: 1 } }',
    at: '2:10',
    message: 'release.directory: the directory of the release is missing',
    remedy: 'Write the directory with the built release, such as directory: ./dist.',
  },
  {
    name: 'a working directory outside of the release',
    whole:
      'service: s\nrelease: { directory: ., command: x, workingDirectory: ../other }\nrouter: { embedded: { listen: 1 } }',
    at: '2:56',
    message: 'release.workingDirectory: "../other" leaves the release',
    remedy: 'Write a path below the release’s root, such as server; . is the root.',
  },
  {
    name: 'a missing service',
    whole: 'release: { directory: ., command: x }\nrouter: { embedded: { listen: 1 } }',
    at: '1:1',
    message: 'service is missing',
    remedy: 'Write lower-case letters, digits and dashes, at most 63, such as shop.',
  },
  {
    name: 'a missing router',
    whole: 'service: s\nrelease: { directory: ., command: x }',
    at: '1:1',
    message: 'router is missing',
    remedy: 'Write { embedded: { listen: 8080 } }.',
  },
  {
    name: 'an unknown strategy',
    text: 'strategy: canery',
    at: '4:11',
    message: 'strategy: "canery" is not a strategy',
    remedy: 'Did you mean "canary"? Known: canary, blue-green, rolling.',
  },
  {
    name: 'two strategies at once',
    text: 'strategy: { canary: {}, rolling: {} }',
    at: '4:11',
    message: 'strategy: a map of settings does not name exactly one strategy',
    remedy: 'Write canary, blue-green or rolling under it.',
  },
  {
    name: 'stages that do not rise',
    text: 'strategy: { canary: { stages: [10%, 5%, 100%] } }',
    at: '4:37',
    message: 'strategy.canary.stages[1]: 5 % does not rise above the 10 % of the stage before',
    remedy: 'Write the stages in rising order, such as [1%, 10%, 50%, 100%].',
  },
  {
    name: 'two stages alike',
    text: 'strategy: { canary: { stages: [10%, 10%, 100%] } }',
    at: '4:37',
    message: 'strategy.canary.stages[1]: 10 % does not rise above the 10 % of the stage before',
    remedy: 'Write the stages in rising order, such as [1%, 10%, 50%, 100%].',
  },
  {
    name: 'stages that do not end at all traffic',
    text: 'strategy: { canary: { stages: [10%, 50%] } }',
    at: '4:37',
    message: 'strategy.canary.stages[1]: the last stage gives the new release 50 %, so it would never have all traffic',
    remedy: 'Add 100% as the last stage.',
  },
  {
    name: 'a stage that holds longer than it may',
    text: 'strategy: { canary: { stages: [{ share: 10%, hold: { atLeast: 2h } }, 100%] } }',
    at: '4:32',
    message: 'strategy.canary.stages[0]: a stage holds for 2h, but pauses for a person after 1h',
    remedy: 'Raise strategy.canary.maxHold, or lower the hold.',
  },
  {
    name: 'a rolling strategy that can replace nothing',
    text: 'strategy: { rolling: { maxSurge: 0 } }',
    at: '4:22',
    message: 'strategy.rolling: with maxSurge and maxUnavailable both 0 no instance can ever be replaced',
    remedy: 'Set one of them to 1 or more.',
  },
  {
    name: 'a rolling strategy that falls below the instances that must be available',
    text: 'instances: 3\nminAvailable: 2\nstrategy: { rolling: { maxUnavailable: 2 } }',
    at: '6:40',
    message:
      'strategy.rolling.maxUnavailable: when 2 of 3 instances are missing, 1 are left, fewer than minAvailable 2',
    remedy: 'Write at most 1, or lower minAvailable.',
  },
  {
    name: 'more instances available than there are',
    text: 'minAvailable: 2',
    at: '4:15',
    message: 'minAvailable: 2 instances can never be available when only 1 run',
    remedy: 'Write at most 1, or raise instances.',
  },
  {
    name: 'a health answer that may take longer than the pause between two',
    text: 'health: { interval: 1s, within: 2s }',
    at: '4:33',
    message: 'health.within: an answer may take 2s, but the next question comes after 1s',
    remedy: 'Write at most 1s, or raise health.interval.',
  },
  {
    name: 'a health timeout too short for its answers',
    text: 'health: { interval: 1s, successes: 5, timeout: 3s }',
    at: '4:48',
    message: 'health.timeout: 3s is too short for 5 good answers, one every 1s',
    remedy: 'Write at least 5s.',
  },
  {
    name: 'a comparison with stable where stable has no traffic',
    text: 'strategy: blue-green\ngates: { p95: { max: 1s, worseThanStable: 20% } }',
    at: '5:43',
    message:
      'gates.p95.worseThanStable: the new release cannot be compared with stable: with blue-green stable has no traffic any more when the new release has it',
    remedy: 'Give this environment a gates.p95 with a fixed limit only (max), or use canary.',
  },
  {
    name: 'a gate without a limit',
    text: 'gates: { p99: { minSamples: 500 } }',
    at: '4:15',
    message: 'gates.p99: a map of settings sets no limit',
    remedy: 'Write a limit under it, or off.',
  },
  {
    name: 'limits of a rate that contradict each other',
    text: 'gates: { requestRate: { min: 10/s, max: 5/s } }',
    at: '4:30',
    message: 'gates.requestRate.min: no rate is at least 10/s and at most 5/s',
    remedy: 'Lower min, or raise max.',
  },
  {
    name: 'a check of no known kind',
    text: 'validate: [{ htp: /x }]',
    at: '4:14',
    message: 'validate[0].htp is not a setting',
    remedy: 'Did you mean "http"?',
  },
  {
    name: 'a request to nowhere',
    text: 'validate:\n  - http: { status: 200 }',
    at: '5:11',
    message: 'validate[0].http: a map of settings is not one request',
    remedy: 'Write either path (on the release) or url (of something else).',
  },
  {
    name: 'a header with a line break, without repeating it',
    text: 'validate: [{ http: { path: /, headers: { authorization: "secret\\nx: y" } } }]',
    at: '4:57',
    message: 'validate[0].http.headers.authorization: the value holds a control character or line break',
    remedy: 'Remove it.',
  },
  {
    name: 'a missing address of a check',
    text: 'validate: [{ tcp: { within: 2s } }]',
    at: '4:19',
    message: 'validate[0].tcp.address is missing',
    remedy: 'Write host and port, such as db:5432.',
  },
  {
    name: 'a port that does not exist',
    whole: 'service: s\nrelease: { directory: ., command: x }\nrouter: { embedded: { listen: 80800 } }',
    at: '3:31',
    message: 'router.embedded.listen: 80800 is not an address to listen on',
    remedy: 'Write a port such as 8080, or 127.0.0.1:8080.',
  },
  {
    name: 'a preview on the address of the service',
    whole: 'service: s\nrelease: { directory: ., command: x }\nrouter: { embedded: { listen: 8080, preview: 8080 } }',
    at: '3:46',
    message: 'router.embedded.preview: the preview would listen on port 8080, where users reach the service',
    remedy: 'Give it a port of its own.',
  },
  {
    name: 'two environments on one address',
    text: 'environments:\n  staging: {}\n  production: {}',
    at: '3:31',
    message: 'router.embedded.listen: 0.0.0.0:8080 is taken: the environment staging listens on 0.0.0.0:8080',
    remedy: 'Give production another port.',
  },
  {
    name: 'a preview on the address of another environment',
    text: 'environments:\n  staging: {}\n  production: { router: { embedded: { listen: 80, preview: "localhost:8080" } } }',
    at: '6:60',
    message:
      'environments.production.router.embedded.preview: localhost:8080 is taken: the environment staging listens on 0.0.0.0:8080',
    remedy: 'Give production another port.',
  },
  {
    name: 'one address under two names',
    whole: `service: s
release: { directory: ., command: x }
environments:
  a: { router: { embedded: { listen: "127.0.0.1:80" } } }
  b: { router: { embedded: { listen: "localhost:80" } } }
`,
    at: '5:38',
    message: 'environments.b.router.embedded.listen: localhost:80 is taken: the environment a listens on 127.0.0.1:80',
    remedy: 'Give b another port.',
  },
  {
    name: 'a password in a URL',
    text: 'validate: [{ http: "https://user:pass@db/x" }]',
    at: '4:20',
    message: 'validate[0].http: "https://[REDACTED]@db/x" is not a path or URL',
    remedy: 'Write a path such as /health/live, or a full URL without a password.',
  },
  {
    name: 'an environment’s own wrong setting',
    text: 'environments:\n  production:\n    drain: 5',
    at: '6:12',
    message: 'environments.production.drain: 5 is not a duration',
    remedy: 'Add the unit: 5s for seconds, 5ms for milliseconds.',
  },
  {
    name: 'a service’s setting that does not go with an environment’s',
    text: 'minAvailable: 1\nenvironments:\n  production: { instances: 2, minAvailable: 3 }',
    at: '6:45',
    message: 'environments.production.minAvailable: 3 instances can never be available when only 2 run',
    remedy: 'Write at most 2, or raise instances.',
  },
  {
    name: 'no environment under environments',
    text: 'environments: {}',
    at: '4:15',
    message: 'environments: a map of settings names no environment',
    remedy: 'Write names such as staging and production under it, or remove it.',
  },
  {
    name: 'a moving image tag',
    whole: 'service: s\nrelease: { image: "ghcr.io/acme/shop:latest" }\nrouter: { embedded: { listen: 1 } }',
    at: '2:19',
    message: 'release.image: the tag "latest" of "ghcr.io/acme/shop:latest" can be moved to another image at any time',
    remedy: 'Name a digest (name@sha256:…) or a tag that never moves (a version).',
    code: 'release.mutable',
  },
  {
    name: 'an image on a platform that runs directories',
    whole: 'service: s\nrelease: { image: "localhost:5000/shop:1.4.2" }\nrouter: { embedded: { listen: 1 } }',
    at: '2:19',
    message: 'release.image: the platform process runs directories, not images such as "localhost:5000/shop:1.4.2"',
    remedy: 'Write release.directory and release.command instead.',
  },
  {
    name: 'a port for a platform that chooses ports itself',
    text: 'port: 3000',
    at: '4:7',
    message: 'port: the platform process gives each instance a port of its own',
    remedy: 'Remove port; the program reads the variable PORT.',
  },
];

for (const { name, text = '', whole, at, message, remedy, code = 'config.invalid' } of cases) {
  test(`names the place and the remedy of ${name}`, () => {
    const { details, ...seen } = refusal(whole ?? base + text);
    assert.deepEqual(seen, { code, message, remedy, at: `sluice.yaml:${at}` });
    assert.equal(details?.['count'], 1);
  });
}

test('all problems of all environments are named at once, in the order of the file', () => {
  const text = `service: shop
drain: 5
release: { directory: ./dist, command: node server.js }
environments:
  staging: { router: { embedded: { listen: 8080 } }, instnces: 3 }
  production: { stopGrace: 7 }
`;
  assert.deepEqual(refusal(text).message.split('\n'), [
    'sluice.yaml has 4 problems:',
    '  sluice.yaml:2:8: drain: 5 is not a duration. Add the unit: 5s for seconds, 5ms for milliseconds.',
    '  sluice.yaml:5:54: environments.staging.instnces is not a setting. Did you mean "instances"?',
    '  sluice.yaml:6:15: environments.production.router is missing. Write { embedded: { listen: 8080 } }.',
    '  sluice.yaml:6:28: environments.production.stopGrace: 7 is not a duration. Add the unit: 7s for seconds, 7ms for milliseconds.',
  ]);
});

test('a file with hundreds of problems names the first and counts the rest', () => {
  const text = base + Array.from({ length: 300 }, (_, index) => `wrong${index}: 1`).join('\n');
  const { message, details } = refusal(text);
  assert.equal(message.split('\n').length, 27);
  assert.match(message, /… and 275 more$/);
  assert.equal(details?.['count'], 300);
});
