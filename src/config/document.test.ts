// Hostile and broken YAML.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../base/failure.ts';
import { parseConfig } from './parse.ts';

function refused(text: string): { code: string; at: string | undefined; message: string } {
  try {
    parseConfig(text, 'sluice.yaml');
  } catch (thrown) {
    assert.ok(thrown instanceof Failure, String(thrown));
    return { code: thrown.code, at: thrown.at, message: thrown.message };
  }
  return assert.fail('it was accepted');
}

const broken = [
  ['an open bracket', 'service: [', '1:11'],
  ['a tab as indentation', 'service:\n\tname: x', '2:1'],
  ['a name given twice', 'service: a\nservice: b', '2:1'],
  ['two documents', 'service: a\n---\nservice: b', '2:1'],
  ['an anchor that is not set', 'service: *nothing', '1:10'],
  ['a tag of a language', 'service: !!js/function "x"', '1:10'],
  ['a map as a name', '? { a: 1 }\n: 2', '1:3'],
] as const;

for (const [name, text, at] of broken) {
  test(`refuses ${name} at its place`, () => {
    const { code, at: place } = refused(text);
    assert.deepEqual({ code, place }, { code: 'config.syntax', place: `sluice.yaml:${at}` });
  });
}

test('refuses a file of more than 1 MiB before reading it as YAML', () => {
  const { code, message } = refused(`# ${'x'.repeat(1024 * 1024)}`);
  assert.deepEqual({ code, message }, { code: 'config.syntax', message: 'The file is larger than 1 MiB' });
});

test('refuses a small file that explodes by its anchors', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 10; level += 1) {
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  }
  assert.match(refused(lines.join('\n')).message, /^It cannot be unfolded/);
});

test('refuses a map that contains itself', () => {
  assert.match(refused('service: &a { b: *a }').message, /service: a map of settings is not a usable name/);
  assert.match(refused('health: &a { health: *a }\nvalidate: &b [*b]').message, /health\.health is not a setting/);
});

test('refuses nesting that no configuration has', () => {
  assert.match(refused(`service: ${'['.repeat(100)}${']'.repeat(100)}`).message, /nested too deeply/);
  assert.match(refused(`service: ${'['.repeat(20_000)}`).message, /nested too deeply/);
});

for (const text of ['', '# nothing', '---', '~']) {
  test(`says of ${JSON.stringify(text)} that it is empty`, () => {
    assert.equal(refused(text).message, 'The file is empty');
  });
}

test('says of a list that it is not a map of settings', () => {
  assert.equal(refused('- service').message, 'The file is not a map of settings');
});

test('__proto__ is an unknown setting wherever it stands, and changes no object', () => {
  for (const text of [
    '__proto__: { polluted: 1 }',
    'env: { __proto__: { polluted: 1 } }',
    'environments: { __proto__: {} }',
  ]) {
    assert.equal(refused(text).message, '__proto__ is not a setting');
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('constructor and toString are unknown settings and no environments', () => {
  assert.match(refused('service: a\nconstructor: 1\ntoString: 2').message, /constructor is not a setting/);
});

test('repeats by anchors within reason are read', () => {
  const config = parseConfig(
    `service: shop
release: { directory: ., command: x }
router: { embedded: { listen: 8080 } }
health: &health { interval: 2s }
environments: { a: { health: *health } }
`,
    'sluice.yaml',
  );
  assert.equal(config.environments['a']?.health.interval, 2000);
});

test('a file full of wrong settings and environments is refused without long work', () => {
  const names = Array.from({ length: 40_000 }, (_, index) => `e${index}: { wrong: 1 }`);
  const text = `service: shop\nenvironments:\n${names.map((name) => `  ${name}`).join('\n')}`;
  assert.match(refused(text).message, /more than 20000 settings/);
});

test('more environments than anybody has are refused', () => {
  const names = Array.from({ length: 101 }, (_, index) => `  e${index}: {}`);
  assert.match(refused(`service: shop\nenvironments:\n${names.join('\n')}`).message, /too many environments/);
});
