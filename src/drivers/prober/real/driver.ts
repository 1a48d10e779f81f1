// Asks real releases: HTTP requests, TCP connections and programs of this machine.

import { readSecret } from '../../../base/secret-reference.ts';
import type { Asker } from '../../../core/validation/asker.ts';
import { carryOut } from '../../../core/validation/carry-out.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Prober } from '../../../ports/prober.ts';
import { runProgram } from './program.ts';
import { connect } from './tcp.ts';

export interface RealProberOptions {
  readonly clock: Clock;
  /** The variables that programs are given, besides those that name the release, and in which secrets are looked up. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export function createProber({ clock, variables }: RealProberOptions): Prober {
  const asker: Asker = {
    // Loaded with the first request: most commands ask nothing, and this is the largest thing that they would load.
    request: async (wanted, signal) => (await import('./http.ts')).request(wanted, signal),
    connect,
    run: (program, signal) => runProgram(program, variables, signal),
    secret: (reference) => readSecret(reference, variables),
    readDocument,
  };
  return { probe: (check, target, signal) => carryOut({ asker, time: clock }, check, target, signal) };
}

/**
 * JSON, or else YAML. Repeats by anchors are bounded, as a small text could explode by them. Of a name that comes twice the last
 * one counts, as in JSON: to find such names the library compares each with each other, and would hold the controller up.
 */
async function readDocument(text: string): Promise<unknown> {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const { parse } = await import('../../../base/yaml.ts');
    return parse(text, { maxAliasCount: 100, uniqueKeys: false, logLevel: 'error' }) as unknown;
  }
}
