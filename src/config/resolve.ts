// Resolves the settings of one environment to a deployment's specification: absolute paths, milliseconds, basis points.

import { resolve as resolvePath } from 'node:path';
import { Failure } from '../base/failure.ts';
import type { DeploySpec, HealthSpec, PlatformSpec, ReleaseSource } from '../core/plan/spec.ts';
import type { EnvironmentValue, RunSpec } from '../core/release.ts';
import type { ComposedService } from './compose/composed.ts';
import { nearest } from './nearest.ts';
import type { Config } from './parse.ts';
import { configFailure, pathText, type Problem } from './problem.ts';
import { confidencePolicy } from './resolve-confidence.ts';
import { containerRun, defined, dockerPlatformSpec, engineSpec } from './resolve-docker.ts';
import { gateChecks, watchSpec } from './resolve-gates.ts';
import { metricSources } from './resolve-queries.ts';
import { routerSpec } from './resolve-router.ts';
import { strategySpec } from './resolve-strategy.ts';
import { validationChecks } from './resolve-validation.ts';
import { specProblems } from './rules/spec-rules.ts';
import { composedProblems } from './rules/docker-rules.ts';
import type { Settings } from './schema/config.ts';

/**
 * The specification of one environment. `baseDirectory` is the absolute directory of the configuration file, `composed` what the
 * Compose file says that the environment names.
 * Rejects an unknown environment with `usage`, and settings that do not go together with `config.invalid`.
 */
export function resolveEnvironment(
  config: Config,
  environment: string,
  baseDirectory: string,
  composed?: ComposedService,
): DeploySpec {
  const names = Object.keys(config.environments);
  const settings = Object.hasOwn(config.environments, environment) ? config.environments[environment] : undefined;
  if (settings === undefined) {
    const meant = nearest(environment, names);
    const hint = meant === undefined ? '' : `Did you mean ${JSON.stringify(meant)}? `;
    throw new Failure('usage', `There is no environment ${JSON.stringify(environment)} in the configuration`, {
      at: 'environments',
      remedy: `${hint}The configuration has ${names.join(', ')}.`,
      details: { environments: names },
    });
  }
  const spec = deploySpec(config.service, environment, settings, { baseDirectory, composed });
  const problems = [...composedProblems(settings, composed), ...specProblems(spec)].map((problem): Problem => {
    const path = pathText(['environments', environment, ...problem.path]);
    const message = `${path}: ${problem.message}`;
    return { code: problem.code ?? 'config.invalid', path, message, remedy: problem.remedy };
  });
  if (problems.length > 0) throw configFailure('The configuration', problems);
  return spec;
}

export interface Origin {
  /** Absolute. */
  readonly baseDirectory: string;
  readonly composed?: ComposedService | undefined;
}

/** The specification that the settings come to, whether or not they go together. */
export function deploySpec(
  service: string,
  environment: string,
  settings: Settings,
  { baseDirectory, composed }: Origin,
): DeploySpec {
  const strategy = strategySpec(settings.strategy);
  const metrics = metricSources(settings.metrics, settings.gates.queries, baseDirectory);
  return {
    scope: { service, environment },
    source: source(settings, baseDirectory, composed),
    run: run(settings, baseDirectory, composed),
    instances: settings.instances,
    minAvailable: settings.minAvailable,
    health: health(settings.health),
    validation: validationChecks(settings.validate, baseDirectory),
    strategy,
    gates: gateChecks(settings.gates, strategy, settings.instances),
    ...(Object.keys(metrics).length === 0 ? {} : { metrics }),
    watch: watchSpec(settings.watch, settings.gates),
    ...(settings.confidence !== undefined &&
      settings.confidence !== 'off' && { confidence: confidencePolicy(settings.confidence) }),
    platform: platform(settings.platform, baseDirectory),
    router: routerSpec(settings.router, baseDirectory),
    drainMs: settings.drain,
    stopGraceMs: settings.stopGrace,
    keepReleases: settings.keepReleases,
  };
}

function source(
  { release, platform }: Settings,
  baseDirectory: string,
  composed: ComposedService | undefined,
): ReleaseSource {
  const reference = release.image ?? composed?.image;
  if (reference === undefined || release.directory !== undefined) {
    return {
      kind: 'directory',
      directory: resolvePath(baseDirectory, release.directory ?? '.'),
      ignore: release.ignore,
    };
  }
  // Where no engine is named, the rules refuse the image; until then any will do.
  const docker = platform.name === 'docker' ? platform.settings : {};
  return {
    kind: 'image',
    reference,
    engine: engineSpec(docker, baseDirectory),
    ...defined({ platform: docker.platform ?? composed?.container.platform }),
  };
}

function platform(given: Settings['platform'], baseDirectory: string): PlatformSpec {
  return given.name === 'docker'
    ? dockerPlatformSpec(given.settings, baseDirectory)
    : { driver: given.name, ...given.settings };
}

function run(settings: Settings, baseDirectory: string, composed: ComposedService | undefined): RunSpec {
  const { release, env, platform, port } = settings;
  const { memory: memoryBytes, openFiles } = release.limits ?? {};
  const own = Object.entries(env).map(([name, value]) => [name, variable(value, baseDirectory)] as const);
  const user = release.user === undefined ? composed?.user : String(release.user);
  return {
    command: release.command ?? composed?.command ?? [],
    environment: { ...composed?.environment, ...Object.fromEntries(own) },
    workingDirectory: release.workingDirectory,
    ...(user === undefined ? {} : { user }),
    limits: { ...composed?.limits, ...defined({ memoryBytes, openFiles }) },
    ...(platform.name === 'docker'
      ? { container: containerRun(platform.settings, port ?? composed?.port ?? missingPort, composed) }
      : {}),
  };
}

/** Stands for a port that is not said; the rules refuse the settings. */
const missingPort = 1;

function variable(value: Settings['env'][string], baseDirectory: string): EnvironmentValue {
  if (typeof value === 'string') return value;
  if (value.name === 'fromFile') return { fromFile: resolvePath(baseDirectory, value.settings) };
  return { fromEnvironment: value.settings };
}

const longestDefaultWithinMs = 5000;

function health(given: Settings['health']): HealthSpec {
  return {
    ...(given.path === undefined ? {} : { path: given.path }),
    intervalMs: given.interval,
    withinMs: given.within ?? Math.min(given.interval, longestDefaultWithinMs),
    timeoutMs: given.timeout,
    successes: given.successes,
  };
}
