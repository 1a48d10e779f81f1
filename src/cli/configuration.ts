// The CLI's way to the configuration: the specification of one environment, or only the scope that a command is about.

import { dirname } from 'node:path';
import { Failure, failureData } from '../base/failure.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import type { Scope } from '../core/scope.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Overrides } from '../config/override.ts';
import type { ComposedService } from '../config/compose/composed.ts';
import type { FactSources } from '../config/resolve-confidence.ts';
import { choose } from './prompt.ts';
import type { Session } from './session.ts';

/** Reads the configuration file. It is loaded here only, because few commands need it and it takes time. */
export async function readConfig({ context, options }: Session): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load.ts');
  return loadConfig({ cwd: context.cwd, config: options.config });
}

/** What is to be deployed: the environment of `--env`, the only one, or the one that the person chooses. */
export async function specification(session: Session, overrides: Overrides = {}): Promise<DeploySpec> {
  return (await deploymentOrder(session, overrides)).spec;
}

/** The same with the places where more is known of the release. */
export async function deploymentOrder(
  session: Session,
  overrides: Overrides = {},
): Promise<{
  readonly spec: DeploySpec;
  readonly sources: FactSources;
  /** What the Compose file says, where the environment names one. */
  readonly composed: ComposedService | undefined;
}> {
  const { config, file } = await readConfig(session);
  refuseOtherService(session, config.service, file);
  const environment = await environmentOf(session, Object.keys(config.environments));
  const { resolveEnvironment } = await import('../config/resolve.ts');
  const { overrideStrategy } = await import('../config/override.ts');
  const { loadComposed } = await import('../config/compose/load.ts');
  const { factSources } = await import('../config/resolve-confidence.ts');
  const directory = dirname(file);
  const composed = loadComposed(config, environment, directory, session.context.environment);
  return {
    spec: resolveEnvironment(overrideStrategy(config, environment, overrides), environment, directory, composed),
    sources: factSources(config, environment, directory),
    composed,
  };
}

/** The same for containers that Compose runs: they are taken over as they are. Rejects with `usage` where no Compose file is named. */
export async function adoption(session: Session): Promise<DeploySpec> {
  const { spec, composed } = await deploymentOrder(session);
  const { platform, source } = spec;
  if (composed === undefined || platform.driver !== 'docker' || source.kind !== 'image') {
    throw new Failure('usage', `${spec.scope.environment} names no Compose file, so there is nothing to take over`, {
      at: 'platform.docker.compose',
      remedy: 'Write `platform: { docker: { compose: docker-compose.yml, service: … } }`.',
    });
  }
  const { project, service } = composed;
  return { ...spec, platform: { ...platform, adopt: { project, service, image: source.reference } } };
}

/** The scope that a command is about; with `--service` and `--env` no configuration is read. */
export async function scopeOf(session: Session): Promise<Scope> {
  const { service, env } = session.options;
  if (service !== undefined && env !== undefined) return { service, environment: env };
  if (service !== undefined) throw missingEnvironment(service);
  const { config, file } = await configOrService(session);
  const names = Object.keys(config.environments);
  const environment = await environmentOf(session, names);
  if (!names.includes(environment)) {
    const { resolveEnvironment } = await import('../config/resolve.ts');
    // It knows how to say which name was meant.
    resolveEnvironment(config, environment, dirname(file));
  }
  return { service: config.service, environment };
}

/** What is known of the scopes that a person means, for commands that can also look at all of them. */
export async function scopeFilter(session: Session): Promise<Partial<Scope>> {
  const { context, options } = session;
  const environment = options.env === undefined ? {} : { environment: options.env };
  if (options.service !== undefined) return { service: options.service, ...environment };
  try {
    const { peekService } = await import('../config/peek.ts');
    // Whoever looks while something burns neither waits for the whole file to be checked, nor fails for a mistyped setting.
    const service = await peekService({ cwd: context.cwd, config: options.config });
    return { service: service ?? (await readConfig(session)).config.service, ...environment };
  } catch (thrown) {
    const { code, message } = failureData(thrown);
    if (code === 'config.missing' && options.config === undefined) return environment;
    if (code !== 'config.invalid' && code !== 'config.syntax' && code !== 'release.mutable') throw thrown;
    session.out.note(`The configuration is not valid, so everything is shown: ${message.split('\n', 1)[0] ?? ''}`);
    return environment;
  }
}

async function configOrService(session: Session): Promise<LoadedConfig> {
  try {
    return await readConfig(session);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const remedy = `${thrown.remedy} Or name what is meant with \`--service\` and \`--env\`; then no configuration is needed.`;
    throw new Failure(thrown.code, thrown.message, { at: thrown.at, remedy, cause: thrown, details: thrown.details });
  }
}

async function environmentOf(session: Session, names: readonly string[]): Promise<string> {
  const [only, ...others] = names;
  if (session.options.env !== undefined) return session.options.env;
  if (only !== undefined && others.length === 0) return only;
  return choose(session, { text: 'Which environment', flag: '--env' }, names);
}

function refuseOtherService({ options }: Session, service: string, file: string): void {
  if (options.service === undefined || options.service === service) return;
  throw new Failure('usage', `${file} is the configuration of ${service}, not of ${options.service}`, {
    at: '--service',
    remedy: 'Leave out `--service`, or name another file with `--config`.',
  });
}

function missingEnvironment(service: string): Failure {
  return new Failure('usage', `which environment of ${service} is not said`, {
    at: '--env',
    remedy: 'Name it with `--env`; `sluice status` lists what there is.',
  });
}
