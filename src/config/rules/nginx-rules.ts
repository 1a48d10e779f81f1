// The rules between `router.nginx` and the other settings.

import type { DeploySpec } from '../../core/plan/spec.ts';
import type { RouteMatch } from '../../core/routes.ts';
import type { RuleProblem } from './rule.ts';

export function nginxProblems(spec: DeploySpec): readonly RuleProblem[] {
  if (spec.router.driver !== 'nginx') return [];
  return [...nameProblems(spec), ...containerProblems(spec.router)];
}

/** NGINX looks at headers through variables, whose names have no more than these characters. */
function nameProblems({ strategy }: DeploySpec): readonly RuleProblem[] {
  if (strategy.kind !== 'canary') return [];
  const path = ['strategy', 'canary'];
  const problems = strategy.match.flatMap((match, index): readonly RuleProblem[] => {
    const message = nameProblem(match) ?? valueProblem(match);
    if (message === undefined) return [];
    return [{ path: [...path, 'match', index], message, remedy: 'Match by another header or cookie.' }];
  });
  if (strategy.sticky === undefined || /^[A-Za-z0-9_-]{1,128}$/.test(strategy.sticky.cookie)) return problems;
  const message = `NGINX cannot look for a cookie named ${JSON.stringify(strategy.sticky.cookie)}`;
  const remedy = 'Use letters, digits, dashes and underscores.';
  return [...problems, { path: [...path, 'sticky', 'cookie'], message, remedy }];
}

/** The longest value of a rule. NGINX takes no word of more than 4,096 bytes; a byte may need five there, and names stand beside it. */
export const nginxEqualsBytes = 700;

function valueProblem({ equals }: RouteMatch): string | undefined {
  const bytes = Buffer.byteLength(equals);
  if (bytes <= nginxEqualsBytes) return undefined;
  return `NGINX can look for a value of at most ${nginxEqualsBytes} bytes, and this one has ${bytes}`;
}

function nameProblem(match: RouteMatch): string | undefined {
  if ('header' in match) {
    if (match.equals === '') return 'NGINX cannot tell an empty header from none';
    return /^[A-Za-z0-9-]{1,128}$/.test(match.header)
      ? undefined
      : `NGINX cannot look for a header named ${JSON.stringify(match.header)}`;
  }
  return /^[A-Za-z0-9_-]{1,128}$/.test(match.cookie)
    ? undefined
    : `NGINX cannot look for a cookie named ${JSON.stringify(match.cookie)}`;
}

function containerProblems(router: DeploySpec['router'] & { readonly driver: 'nginx' }): readonly RuleProblem[] {
  const path = ['router', 'nginx'];
  if (router.container === undefined) {
    if (router.includeInside === undefined) return [];
    const message = 'includeInside says where a container finds the include, but no container is named';
    return [{ path: [...path, 'includeInside'], message, remedy: 'Name the container, or remove it.' }];
  }
  if (router.pidFile === undefined) return [];
  const message = 'a pid inside a container means nothing outside';
  return [{ path: [...path, 'pidFile'], message, remedy: 'Remove pidFile; `docker exec` reloads NGINX.' }];
}
