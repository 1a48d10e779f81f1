// The rules of `router.haproxy`: names that can stand in its configuration as they are.

import type { DeploySpec } from '../../core/plan/spec.ts';
import type { RuleProblem } from './rule.ts';

/** Such paths stand in HAProxy’s configuration as they are. */
const plainPath = /^[A-Za-z0-9_./+@=-]+$/;

const plainName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

export function haproxyProblems({ router, strategy }: DeploySpec): readonly RuleProblem[] {
  if (router.driver !== 'haproxy') return [];
  return [...directoryProblems(router.directory), ...nameProblems(strategy)];
}

function directoryProblems(directory: string): readonly RuleProblem[] {
  if (plainPath.test(directory)) return [];
  const message = `HAProxy cannot be given the path ${JSON.stringify(directory)}`;
  const remedy = 'Use a directory whose path has letters, digits and . _ - + @ = only.';
  return [{ path: ['router', 'haproxy', 'directory'], message, remedy }];
}

function nameProblems(strategy: DeploySpec['strategy']): readonly RuleProblem[] {
  if (strategy.kind !== 'canary') return [];
  const remedy = 'With HAProxy use letters, digits, dashes, dots and underscores.';
  const problems: RuleProblem[] = strategy.match.flatMap((match, index) => {
    const name = 'header' in match ? match.header : match.cookie;
    if (plainName.test(name)) return [];
    const message = `HAProxy cannot be given the name ${JSON.stringify(name)}`;
    return [{ path: ['strategy', 'canary', 'match', index], message, remedy }];
  });
  const cookie = strategy.sticky?.cookie;
  if (cookie !== undefined && !plainName.test(cookie)) {
    const message = `HAProxy cannot be given the name ${JSON.stringify(cookie)}`;
    problems.push({ path: ['strategy', 'canary', 'sticky', 'cookie'], message, remedy });
  }
  return problems;
}
