// `metrics` and `gates.queries` of the configuration to metric sources and query checks.

import { secretReference, secretValues } from './resolve-secrets.ts';
import { resolve as resolvePath } from 'node:path';
import { unreachable } from '../base/assert.ts';
import type { GateCheck, QueryCheck } from '../core/gate/check.ts';
import type { CommandSource, Credentials, MetricSource, WebSource } from '../core/metrics/source.ts';
import { type QueryTemplate, templatedQuery, type TemplatedQuery } from '../core/metrics/templates.ts';
import { needsStable } from '../core/gate/check.ts';
import type { MetricSourceSettings } from './schema/metrics.ts';
import type { QuerySettings, QueryTemplateSettings } from './schema/queries.ts';

/** The sources by name; one that is written in a query is called after it. */
export function metricSources(
  metrics: Readonly<Record<string, MetricSourceSettings>>,
  queries: readonly QuerySettings[],
  baseDirectory: string,
): Readonly<Record<string, MetricSource>> {
  const named = Object.entries(metrics);
  const inline = queries.flatMap(({ name, source }) =>
    typeof source === 'string' ? [] : [[inlineName(name), source] as const],
  );
  return Object.fromEntries([...named, ...inline].map(([name, source]) => [name, metricSource(source, baseDirectory)]));
}

/** No name of `metrics` has a space. */
function inlineName(query: string): string {
  return `source of ${query}`;
}

export function queryChecks(queries: readonly QuerySettings[], commonMinSamples: number): readonly QueryCheck[] {
  return queries.map((settings) => queryCheck(settings, commonMinSamples));
}

/** Those that are asked after the promotion too; with stable gone nothing can be compared with it. */
export function watchedQueries(queries: readonly QuerySettings[], commonMinSamples: number): readonly GateCheck[] {
  const watched = queries.filter((query) => query.watch);
  return queryChecks(watched, commonMinSamples).filter((check) => !needsStable(check));
}

function queryCheck(settings: QuerySettings, commonMinSamples: number): QueryCheck {
  const { name, source, noData, points, weight, worseThanStable, equals } = settings;
  const given = questionOf(settings);
  const [max, min] = [settings.max ?? equals, settings.min ?? equals];
  return {
    kind: 'query',
    name,
    source: typeof source === 'string' ? source : inlineName(name),
    query: given.query,
    ...(given.measuredAt === undefined ? {} : { measuredAt: given.measuredAt }),
    ...(given.samples === undefined ? {} : { samples: given.samples }),
    minSamples: given.samples === undefined ? 0 : (settings.minSamples ?? commonMinSamples),
    ...(max === undefined ? {} : { max }),
    ...(min === undefined ? {} : { min }),
    ...(worseThanStable === undefined ? {} : { worseThanStable }),
    points,
    noData,
    weight,
    intervalMs: settings.interval,
    windowMs: settings.window,
  };
}

/** What is written out goes before what a template would ask. */
function questionOf({ query, template, measuredAt, samples }: QuerySettings): TemplatedQuery {
  const ready = template === undefined ? { query: query ?? '' } : templatedQuery(queryTemplate(template));
  return {
    ...ready,
    ...(measuredAt === undefined ? {} : { measuredAt }),
    ...(samples === undefined ? {} : { samples }),
  };
}

function queryTemplate(template: QueryTemplateSettings): QueryTemplate {
  if (template.name !== 'quantile') return { kind: template.name, ...template.settings } as QueryTemplate;
  const { of, ...rest } = template.settings;
  return { kind: 'quantile', quantile: of, ...rest };
}

function metricSource(given: MetricSourceSettings, baseDirectory: string): MetricSource {
  switch (given.name) {
    case 'prometheus':
    case 'http':
      return { driver: given.name, ...webSource(given.settings, baseDirectory) };
    case 'command':
      return commandSource(given.settings, baseDirectory);
    default:
      return unreachable(given, 'metric source');
  }
}

type WebSettings = Extract<MetricSourceSettings, { name: 'http' }>['settings'];

function webSource({ url, auth, headers, ca, within, stale }: WebSettings, baseDirectory: string): WebSource {
  return {
    url,
    headers: secretValues(headers, baseDirectory),
    ...(auth === undefined ? {} : { credentials: credentials(auth, baseDirectory) }),
    ...(ca === undefined ? {} : { ca: resolvePath(baseDirectory, ca) }),
    withinMs: within,
    staleMs: stale,
  };
}

function commandSource(
  { run, workingDirectory, env, within }: Extract<MetricSourceSettings, { name: 'command' }>['settings'],
  baseDirectory: string,
): CommandSource {
  return {
    driver: 'command',
    command: run,
    workingDirectory: resolvePath(baseDirectory, workingDirectory),
    environment: secretValues(env, baseDirectory),
    withinMs: within,
  };
}

function credentials(auth: Exclude<WebSettings['auth'], undefined>, baseDirectory: string): Credentials {
  if (auth.name === 'bearer') return { kind: 'bearer', token: secretReference(auth.settings, baseDirectory) };
  const { user, password } = auth.settings;
  return { kind: 'basic', user, password: secretReference(password, baseDirectory) };
}
