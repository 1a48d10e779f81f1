// Specifications for deployments under load, written as a person writes them and read by the configuration's own parser.

import { stringify } from 'yaml';

import { parseConfig } from '../../src/config/parse.ts';
import { resolveEnvironment } from '../../src/config/resolve.ts';
import type { DeploySpec } from '../../src/core/plan/spec.ts';
import { loadPlatform } from './platforms.ts';
import type { Site } from './site.ts';

export type StrategyName = 'canary' | 'blue-green' | 'rolling';

export interface SpecOptions {
  readonly site: Site;
  readonly strategy: StrategyName;
  readonly version: string;
  /** Share of answers that are errors on purpose. */
  readonly errors?: number | undefined;
  readonly instances?: number | undefined;
  /** Milliseconds; streams under load are shorter. */
  readonly drainMs: number;
  /** How long each stage, or the look behind a switch, lasts; milliseconds. */
  readonly holdMs: number;
}

/** The strategies, short: a deployment takes seconds. */
function strategyOf({ strategy, holdMs }: SpecOptions): object {
  const hold = { atLeast: `${holdMs}ms`, requests: 20 };
  switch (strategy) {
    case 'canary':
      return { canary: { stages: ['5%', '25%', '50%', '100%'], hold, maxHold: '60s', keepOld: '10m' } };
    case 'blue-green':
      return { 'blue-green': { observe: `${holdMs}ms`, keepOld: '10m' } };
    case 'rolling':
      return { rolling: { maxSurge: 1, maxUnavailable: 0, observe: `${holdMs}ms` } };
  }
}

export async function specOf(options: SpecOptions): Promise<DeploySpec> {
  const { site, version, errors = 0, instances = 1, drainMs } = options;
  const platform = loadPlatform(site.platform);
  const text = stringify({
    service: 'load',
    release: await platform.release(site, { version, errors }),
    platform: platform.settings(site),
    env: { RECORDS: site.records, ...platform.env },
    ...platform.more,
    instances,
    health: { path: '/health', interval: '250ms', timeout: '60s' },
    strategy: strategyOf(options),
    gates: { compare: 'off', errorRate: { max: '5%', minSamples: 20 }, availability: 'off', p95: 'off' },
    watch: { for: '10m', errorRate: 'off', availability: 'off', p95: 'off' },
    drain: `${drainMs}ms`,
    stopGrace: '10s',
    router: site.front.settings,
  });
  return resolveEnvironment(parseConfig(text, 'sluice.yaml'), 'production', site.directory);
}
