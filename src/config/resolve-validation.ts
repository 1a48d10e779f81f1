// `validate` of the configuration to validation checks.

import { resolve as resolvePath } from 'node:path';
import { unreachable } from '../base/assert.ts';
import type { CheckLimits, ValidationCheck } from '../core/validation/check.ts';
import { secretValues } from './resolve-secrets.ts';
import type { Settings } from './schema/config.ts';

type CheckSettings = Settings['validate'][number];

export function validationChecks(checks: readonly CheckSettings[], baseDirectory: string): readonly ValidationCheck[] {
  return checks.map((check) => validationCheck(check, baseDirectory));
}

function validationCheck(check: CheckSettings, baseDirectory: string): ValidationCheck {
  switch (check.name) {
    case 'http':
      return httpCheck(check.settings, baseDirectory);
    case 'tcp':
      return { kind: 'tcp', ...check.settings.address, ...limits(check.settings) };
    case 'command':
      return {
        kind: 'command',
        command: check.settings.run,
        workingDirectory: resolvePath(baseDirectory, check.settings.workingDirectory),
        ...limits(check.settings),
      };
    case 'openapi':
      return {
        kind: 'openapi',
        url: check.settings.path,
        maxPaths: check.settings.maxPaths,
        ...limits(check.settings),
      };
    default:
      return unreachable(check, 'check');
  }
}

function httpCheck(
  settings: Extract<CheckSettings, { name: 'http' }>['settings'],
  baseDirectory: string,
): ValidationCheck {
  const { path, url, method, headers, body, status, expectHeaders, expectJson, contains, concurrency } = settings;
  return {
    kind: 'http',
    url: path ?? url ?? '/',
    method,
    headers: secretValues(headers, baseDirectory),
    ...(body === undefined ? {} : { body }),
    status,
    expectHeaders: Object.fromEntries(
      Object.entries(expectHeaders).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    expectJson,
    ...(contains === undefined ? {} : { contains }),
    concurrency,
    ...limits(settings),
  };
}

function limits(settings: { readonly within: number; readonly retries: number; readonly pause: number }): CheckLimits {
  return { withinMs: settings.within, attempts: settings.retries + 1, pauseMs: settings.pause };
}
