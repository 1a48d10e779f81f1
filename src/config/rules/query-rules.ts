// The rules of questions to metric sources: sources that there are, placeholders that mean something, holds that are long enough.

import { formatDuration } from '../../base/duration.ts';
import type { CounterFeed, QueryCheck } from '../../core/gate/check.ts';
import { placeholderNames, unknownPlaceholders } from '../../core/metrics/placeholders.ts';
import { promqlProblem } from '../../core/metrics/promql.ts';
import type { MetricSource } from '../../core/metrics/source.ts';
import type { DeploySpec } from '../../core/plan/spec.ts';
import { parseJsonPath } from '../../core/validation/json-path.ts';
import { nearest } from '../nearest.ts';
import { oneOf } from '../words.ts';
import type { RuleProblem } from './rule.ts';

export function queryProblems(spec: DeploySpec): readonly RuleProblem[] {
  const checks = spec.gates.filter((gate) => gate.kind === 'query');
  const sources = spec.metrics ?? {};
  return [
    ...Object.entries(sources).flatMap(([name, source]) => sourceProblems(name, source)),
    ...checks.flatMap((check, index) => [
      ...ownProblems(check, sources, ['gates', 'queries', index]),
      ...nameProblems(check, checks, index),
      ...timeProblems(spec, check, ['gates', 'queries', index]),
    ]),
    ...spec.gates.flatMap((gate) =>
      gate.kind === 'statistical' && gate.counters !== undefined ? counterProblems(spec, gate.counters) : [],
    ),
  ];
}

/** Two readings make the first block of requests. */
const readingsForABlock = 2;

function counterProblems(spec: DeploySpec, feed: CounterFeed): readonly RuleProblem[] {
  const path = ['gates', 'compare', 'counters'];
  const sources = spec.metrics ?? {};
  const source = sourceIn(sources, feed.source);
  if (source === undefined) return [unknownSource(feed.source, sources, path)];
  if (source.driver !== 'prometheus' && source.driver !== 'memory') {
    const message = `the source ${JSON.stringify(feed.source)} is no Prometheus, and nothing else says what each instance counted`;
    return [{ path: [...path, 'source'], message, remedy: 'Name a Prometheus, or remove counters.' }];
  }
  const { requests, errors, buckets = '' } = feed.selection;
  const found = [requests, errors, buckets].map((text) => promqlProblem(text)).find((each) => each !== undefined);
  if (found !== undefined)
    return [{ path: [...path, 'labels'], message: `they make a query that ${found.problem}`, remedy: found.remedy }];
  if (!namesRelease(requests)) {
    const message = 'without {{release}} they find the same series for both releases, so that none is ever worse';
    return [{ path: [...path, 'labels'], message, remedy: 'Write a label such as release: "{{release}}".' }];
  }
  return timeProblems(spec, { ...feed, points: readingsForABlock }, path, 'readings');
}

function sourceProblems(name: string, source: MetricSource): readonly RuleProblem[] {
  const [unknown] = source.driver === 'http' ? unknownPlaceholders(source.url) : [];
  if (unknown === undefined) return [];
  const message = `the URL has {{${unknown}}}, which stands for nothing`;
  return [{ path: ['metrics', name, 'http', 'url'], message, remedy: `Known: ${known}.` }];
}

const known = placeholderNames.map((name) => `{{${name}}}`).join(', ');

function ownProblems(check: QueryCheck, sources: Sources, path: RuleProblem['path']): readonly RuleProblem[] {
  const source = sourceIn(sources, check.source);
  if (source === undefined) return [unknownSource(check.source, sources, path)];
  const problems: RuleProblem[] = [];
  if (check.max === undefined && check.min === undefined && check.worseThanStable === undefined)
    problems.push({
      path: [...path],
      message: 'it sets no limit',
      remedy: 'Write max, min, equals or worseThanStable.',
    });
  if (check.max !== undefined && check.min !== undefined && check.min > check.max)
    problems.push({
      path: [...path, 'min'],
      message: `no number is at least ${check.min} and at most ${check.max}`,
      remedy: 'Lower min, or raise max.',
    });
  const asked = source.driver === 'http' ? source.url + check.query : check.query;
  if (check.worseThanStable !== undefined && source.driver !== 'command' && !namesRelease(asked))
    problems.push({
      path: [...path, 'worseThanStable'],
      message: 'without {{release}} the same is asked about both releases, so that none is ever worse',
      remedy: 'Write {{release}} where the query names the release.',
    });
  const texts = [
    ['query', check.query],
    ['samples', check.samples],
    ['measuredAt', check.measuredAt],
  ] as const;
  for (const [setting, text] of texts) {
    const found = text === undefined ? undefined : textProblem(source, setting, text);
    if (found !== undefined) problems.push({ path: [...path, setting], ...found });
  }
  return problems;
}

type Sources = Readonly<Record<string, MetricSource>>;

function sourceIn(sources: Sources, name: string): MetricSource | undefined {
  return Object.hasOwn(sources, name) ? sources[name] : undefined;
}

function unknownSource(name: string, sources: Sources, path: RuleProblem['path']): RuleProblem {
  const names = Object.keys(sources);
  const meant = nearest(name, names);
  const hint = names.length === 0 ? 'Describe it under metrics.' : `Known: ${oneOf(names)}.`;
  const remedy = meant === undefined ? hint : `Did you mean ${JSON.stringify(meant)}?`;
  return { path: [...path, 'source'], message: `there is no metric source ${JSON.stringify(name)}`, remedy };
}

function namesRelease(text: string): boolean {
  return /\{\{\s*release\s*\}\}/.test(text);
}

function textProblem(
  { driver }: MetricSource,
  setting: 'query' | 'samples' | 'measuredAt',
  text: string,
): { readonly message: string; readonly remedy: string } | undefined {
  if (driver === 'command' && setting === 'measuredAt')
    return { message: 'a command’s number is of now', remedy: 'Remove it.' };
  if (text === '' && driver !== 'command') return { message: 'the query is missing', remedy: missing[driver] };
  if (driver === 'prometheus') {
    const found = promqlProblem(text);
    return found === undefined ? undefined : { message: `it ${found.problem}`, remedy: found.remedy };
  }
  const [unknown] = unknownPlaceholders(text);
  if (unknown !== undefined)
    return { message: `it has {{${unknown}}}, which stands for nothing`, remedy: `Known: ${known}.` };
  if (driver === 'http' && parseJsonPath(text) === undefined)
    return {
      message: `${JSON.stringify(text)} is not a JSON path`,
      remedy: 'Write a path such as data.depth or releases["{{release}}"].errors.',
    };
  return undefined;
}

const missing: Readonly<Record<Exclude<MetricSource['driver'], 'command'>, string>> = {
  prometheus: 'Write query, or template.',
  http: 'Write a JSON path such as data.depth.',
  memory: 'Write query.',
};

function nameProblems(check: QueryCheck, all: readonly QueryCheck[], index: number): readonly RuleProblem[] {
  if (all.findIndex(({ name }) => name === check.name) === index) return [];
  const message = `another query is called ${JSON.stringify(check.name)} too`;
  return [{ path: ['gates', 'queries', index, 'name'], message, remedy: 'Give each its own name.' }];
}

/** A hold that ends before its questions can be answered would always pause for a person. */
function timeProblems(
  spec: DeploySpec,
  check: Pick<QueryCheck, 'source' | 'points' | 'intervalMs'>,
  path: RuleProblem['path'],
  what: 'answers' | 'readings' = 'answers',
): readonly RuleProblem[] {
  const source = spec.metrics?.[check.source];
  const withinMs = source !== undefined && 'withinMs' in source ? source.withinMs : 0;
  const needsMs = check.points * check.intervalMs + withinMs;
  return holdsOf(spec)
    .filter(({ forMs }) => forMs > 0 && forMs < needsMs)
    .map(({ setting, forMs }) => ({
      path: [...path],
      message: `${check.points} ${what}, one every ${formatDuration(check.intervalMs)}, each within ${formatDuration(withinMs)}, need ${formatDuration(needsMs)}, but ${setting} is ${formatDuration(forMs)}`,
      remedy: `Raise ${setting}, or lower ${what === 'answers' ? 'points or interval' : 'interval'}.`,
    }));
}

/** The holds that end at a fixed time. */
function holdsOf({ strategy }: DeploySpec): readonly { readonly setting: string; readonly forMs: number }[] {
  if (strategy.kind !== 'canary') return [{ setting: `strategy.${strategy.kind}.observe`, forMs: strategy.observeMs }];
  const last = strategy.stages.at(-1)?.holdMs ?? 0;
  return [
    { setting: 'strategy.canary.maxHold', forMs: strategy.maxHoldMs },
    { setting: 'the hold of the last stage', forMs: last },
  ];
}
