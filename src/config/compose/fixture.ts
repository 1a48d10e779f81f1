// Compose files of one service for tests, and what is wrong with them.

import assert from 'node:assert/strict';
import { Failure } from '../../base/failure.ts';
import { composeService, type ComposeInput } from './compose-service.ts';

export function input(text: string, given: Partial<ComposeInput> = {}): ComposeInput {
  return {
    path: '/srv/My Shop/docker-compose.yml',
    directory: '/srv/My Shop',
    text,
    service: 'api',
    environment: {},
    dotenv: undefined,
    read: () => undefined,
    instances: 1,
    stopGraceMs: 10_000,
    ...given,
  };
}

/** A file with one service that has these lines. */
export function fileWith(lines: string, rest = ''): string {
  const indented = lines.split('\n').map((line) => `    ${line}`);
  return `services:\n  api:\n    image: shop:1.0\n${indented.join('\n')}\n${rest}`;
}

export function problemsOf(text: string, given: Partial<ComposeInput> = {}): readonly string[] {
  try {
    composeService(input(text, given));
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, 'config.invalid');
    const { problems } = error.details as {
      readonly problems: readonly { path: string; message: string; remedy: string }[];
    };
    for (const { remedy } of problems) assert.notEqual(remedy, '');
    return problems.map(({ message }) => message);
  }
  return [];
}
