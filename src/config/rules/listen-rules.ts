// The rule between environments: no two of them listen on one address.

import type { DeploySpec } from '../../core/plan/spec.ts';
import { addressName } from '../../core/instance.ts';
import { sameAddress } from '../../core/same-address.ts';
import type { RuleProblem } from './rule.ts';

interface Listener {
  readonly environment: string;
  readonly driver: DeploySpec['router']['driver'];
  readonly setting: 'listen' | 'preview';
  readonly address: { readonly host: string; readonly port: number };
}

/** One problem for each listener whose address an environment before it has already. */
export function listenProblems(
  specs: readonly DeploySpec[],
): readonly (RuleProblem & { readonly environment: string })[] {
  const all = specs.flatMap(listeners);
  return all.flatMap((listener, index) => {
    const other = all
      .slice(0, index)
      .find((one) => one.environment !== listener.environment && sameAddress(one.address, listener.address));
    if (other === undefined) return [];
    const where = other.setting === 'listen' ? 'listens' : 'has its preview';
    return [
      {
        environment: listener.environment,
        path: ['router', listener.driver, listener.setting],
        message: `${addressName(listener.address)} is taken: the environment ${other.environment} ${where} on ${addressName(other.address)}`,
        remedy: `Give ${listener.environment} another port.`,
      },
    ];
  });
}

function listeners({ scope: { environment }, router }: DeploySpec): readonly Listener[] {
  if (router.driver === 'memory') return [];
  const { driver, listen, preview } = router;
  // One NGINX may serve several services at one address, told apart by their names.
  const shared = driver === 'nginx' && router.serverName !== undefined;
  const listener: Listener = { environment, driver, setting: 'listen', address: listen };
  return [
    ...(shared ? [] : [listener]),
    ...(preview === undefined ? [] : [{ environment, driver, setting: 'preview', address: preview } as const]),
  ];
}
