// `confidence` of the configuration to a policy, and to the places where facts are read.

import { resolve } from 'node:path';
import type { ConfidencePolicy } from '../core/decision/confidence.ts';
import type { Config } from './parse.ts';
import { confidenceSchema, type ConfidenceSettings } from './schema/confidence.ts';

export function confidencePolicy({ at, criticality, goOn, ask, weights }: ConfidenceSettings): ConfidencePolicy {
  return { at, criticality, goOn, ask, weights };
}

/** Absolute paths of the reports by kind, and the commit that the change is measured from where one is configured. */
export interface FactSources {
  readonly directory: string;
  readonly reports: Readonly<Record<'tests' | 'lint' | 'security' | 'coverage' | 'summary', readonly string[]>>;
  readonly base?: string | undefined;
}

/** What to read for one environment, by its settings or, where it has none, by the defaults. */
export function factSources(config: Config, environment: string, baseDirectory: string): FactSources {
  const { reports, base } = settingsOf(config, environment);
  const absolute = (paths: readonly string[] = []): readonly string[] =>
    paths.map((path) => resolve(baseDirectory, path));
  const { tests, lint, security, coverage, summary } = reports;
  return {
    directory: baseDirectory,
    reports: {
      tests: absolute(tests),
      lint: absolute(lint),
      security: absolute(security),
      coverage: absolute(coverage),
      summary: absolute(summary === undefined ? [] : [summary]),
    },
    base,
  };
}

/** The policy of an environment that has none of its own. */
export const usualPolicy: ConfidencePolicy = confidencePolicy(confidenceSchema.parse({}));

function settingsOf(config: Config, environment: string): ConfidenceSettings {
  const own = Object.hasOwn(config.environments, environment)
    ? config.environments[environment]?.confidence
    : undefined;
  return own === undefined || own === 'off' ? confidenceSchema.parse({}) : own;
}
