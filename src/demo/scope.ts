// What the demo is about: its service, the environment, and the versions that are deployed one after the other.

import type { Scope } from '../core/scope.ts';
import type { ShopVersion } from './service/shop.ts';

export const scope: Scope = { service: 'shop', environment: 'production' };

export interface Version extends ShopVersion {
  /** As it stands under `strategy` in the version's configuration. */
  readonly strategy: string;
}

const blueGreen = 'blue-green: { observe: 2s }';
const canary = 'canary: { stages: [10%, 50%, 100%], hold: { atLeast: 2s, requests: 20 } }';
/** Its first stage is long enough for a controller to die and to come back in it. */
const slowCanary =
  'canary: { stages: [{ share: 10%, hold: { atLeast: 6s } }, 50%, 100%], hold: { atLeast: 2s, requests: 20 } }';

export const versions = {
  v1: { version: 'v1', strategy: blueGreen },
  v2: { version: 'v2', strategy: blueGreen },
  v3: { version: 'v3', strategy: canary },
  v4: { version: 'v4', strategy: canary, fault: 'checkout' },
  v5: { version: 'v5', strategy: canary, fault: 'start' },
  v6: { version: 'v6', strategy: slowCanary },
  v7: { version: 'v7', strategy: blueGreen, fault: 'late' },
} as const satisfies Readonly<Record<string, Version>>;
