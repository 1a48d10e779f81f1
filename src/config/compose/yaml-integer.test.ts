import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composeService } from './compose-service.ts';
import { fileWith, input } from './fixture.ts';

/** What is written, and what a container is given. */
const forms: readonly (readonly [string, string])[] = [
  ['0', '0'],
  ['22', '22'],
  ['-5', '-5'],
  ['0022', '18'],
  ['-0022', '-18'],
  ['0o17', '15'],
  ['0x1F', '31'],
  ['0b11', '3'],
  ['1_000', '1000'],
  ['089', '89'],
  ['123456789012345678', '123456789012345678'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['0xFFFFFFFFFFFFFFFF', '18446744073709551615'],
  ['"0022"', '0022'],
  ['0x', '0x'],
  ['1.50', '1.5'],
  ['2024-01-01', '2024-01-01'],
];

for (const [written, wanted] of forms) {
  test(`${written} is ${wanted}`, () => {
    const lines = `environment: { GIVEN: ${written} }\nlabels: { given: ${written} }`;
    const { environment, container } = composeService(input(fileWith(lines)));
    assert.deepEqual([environment['GIVEN'], container.labels?.['given']], [wanted, wanted]);
  });
}

test('the mode of a mount is octal, as Compose reads it', () => {
  const { container } = composeService(
    input(fileWith('volumes: [{ type: tmpfs, target: /fast, tmpfs: { mode: 0755, size: 0100 } }]')),
  );
  assert.deepEqual(container.mounts, [{ kind: 'tmpfs', target: '/fast', readOnly: false, mode: 0o755, sizeBytes: 64 }]);
});

test('aliases and merged maps are read as before', () => {
  const text = 'x-a: &a { labels: { mode: 0755 } }\nservices: { api: { <<: *a, image: "shop:1.0" } }';
  assert.deepEqual(composeService(input(text)).container.labels, { mode: '493' });
});
