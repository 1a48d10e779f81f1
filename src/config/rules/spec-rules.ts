// The rules between the settings of one environment, on the specification that they come to: the client and the server hold them alike.

import { formatDuration } from '../../base/duration.ts';
import type { CanaryStage, DeploySpec, RollingStrategy } from '../../core/plan/spec.ts';
import { type GateCheck, needsStable, type QueryCheck, type SampleCheck } from '../../core/gate/check.ts';
import { allTraffic, shareText } from '../../core/routes.ts';
import { sameAddress } from '../../core/same-address.ts';
import { runsSideBySide } from '../resolve-gates.ts';
import { queryProblems } from './query-rules.ts';
import { haproxyProblems } from './haproxy-rules.ts';
import { nginxProblems } from './nginx-rules.ts';
import { releaseProblems } from './release-rules.ts';
import type { RuleProblem } from './rule.ts';

/** Everything about the specification that does not go together. */
export function specProblems(spec: DeploySpec): readonly RuleProblem[] {
  return [
    ...releaseProblems(spec),
    ...availabilityProblems(spec),
    ...healthProblems(spec),
    ...strategyProblems(spec),
    ...gateProblems(spec),
    ...rateProblems(spec),
    ...queryProblems(spec),
    ...previewProblems(spec),
    ...haproxyProblems(spec),
    ...portProblems(spec),
    ...nginxProblems(spec),
    ...confidenceProblems(spec),
  ];
}

function confidenceProblems({ confidence }: DeploySpec): readonly RuleProblem[] {
  if (confidence === undefined) return [];
  const { goOn, ask, weights } = confidence;
  const problems: RuleProblem[] = [];
  if (ask > goOn) {
    const message = `a person is asked from ${ask} on, but from ${goOn} on it goes on by itself`;
    problems.push({ path: ['confidence', 'ask'], message, remedy: `Write at most ${goOn}, or raise confidence.goOn.` });
  }
  const { health: _, ...others } = weights;
  if (Object.values(others).every((weight) => weight === 0)) {
    const message = 'before there is traffic nothing would count';
    problems.push({
      path: ['confidence', 'weights'],
      message,
      remedy: 'Give a factor besides health a weight above 0.',
    });
  }
  return problems;
}

function availabilityProblems({ instances, minAvailable }: DeploySpec): readonly RuleProblem[] {
  if (minAvailable <= instances) return [];
  const message = `${minAvailable} instances can never be available when only ${instances} run`;
  return [{ path: ['minAvailable'], message, remedy: `Write at most ${instances}, or raise instances.` }];
}

function healthProblems({ health }: DeploySpec): readonly RuleProblem[] {
  const problems: RuleProblem[] = [];
  const [interval, within] = [formatDuration(health.intervalMs), formatDuration(health.withinMs)];
  if (health.withinMs > health.intervalMs) {
    const message = `an answer may take ${within}, but the next question comes after ${interval}`;
    problems.push({
      path: ['health', 'within'],
      message,
      remedy: `Write at most ${interval}, or raise health.interval.`,
    });
  }
  const leastMs = health.intervalMs * health.successes;
  if (health.timeoutMs < leastMs) {
    const message = `${formatDuration(health.timeoutMs)} is too short for ${health.successes} good answers, one every ${interval}`;
    problems.push({ path: ['health', 'timeout'], message, remedy: `Write at least ${formatDuration(leastMs)}.` });
  }
  return problems;
}

function strategyProblems(spec: DeploySpec): readonly RuleProblem[] {
  switch (spec.strategy.kind) {
    case 'canary':
      return canaryProblems(spec.strategy.stages, spec.strategy.maxHoldMs);
    case 'rolling':
      return rollingProblems(spec.strategy, spec);
    case 'blue-green':
      return [];
  }
}

/** What is wrong with the stages of a canary: their order, their end, their holds. */
export function canaryProblems(stages: readonly CanaryStage[], maxHoldMs: number): readonly RuleProblem[] {
  const problems: RuleProblem[] = [];
  const path = ['strategy', 'canary', 'stages'];
  for (const [index, stage] of stages.entries()) {
    const before = stages[index - 1];
    if (before !== undefined && stage.share <= before.share) {
      const message = `${shareText(stage.share)} does not rise above the ${shareText(before.share)} of the stage before`;
      problems.push({
        path: [...path, index],
        message,
        remedy: 'Write the stages in rising order, such as [1%, 10%, 50%, 100%].',
      });
    }
    if (stage.holdMs > maxHoldMs) {
      const message = `a stage holds for ${formatDuration(stage.holdMs)}, but pauses for a person after ${formatDuration(maxHoldMs)}`;
      problems.push({ path: [...path, index], message, remedy: 'Raise strategy.canary.maxHold, or lower the hold.' });
    }
  }
  const last = stages.at(-1);
  if (last !== undefined && last.share !== allTraffic && problems.length === 0) {
    const message = `the last stage gives the new release ${shareText(last.share)}, so it would never have all traffic`;
    problems.push({ path: [...path, stages.length - 1], message, remedy: 'Add 100% as the last stage.' });
  }
  return problems;
}

function rollingProblems({ maxSurge, maxUnavailable }: RollingStrategy, spec: DeploySpec): readonly RuleProblem[] {
  if (maxSurge === 0 && maxUnavailable === 0) {
    const message = 'with maxSurge and maxUnavailable both 0 no instance can ever be replaced';
    return [{ path: ['strategy', 'rolling'], message, remedy: 'Set one of them to 1 or more.' }];
  }
  const left = Math.max(0, spec.instances - maxUnavailable);
  if (left >= Math.min(spec.minAvailable, spec.instances)) return [];
  const message = `when ${maxUnavailable} of ${spec.instances} instances are missing, ${left} are left, fewer than minAvailable ${spec.minAvailable}`;
  const most = Math.max(0, spec.instances - spec.minAvailable);
  const remedy = `Write ${most === 0 ? '0, with a maxSurge of 1 or more' : `at most ${most}`}, or lower minAvailable.`;
  return [{ path: ['strategy', 'rolling', 'maxUnavailable'], message, remedy }];
}

function gateProblems({ gates, strategy, instances }: DeploySpec): readonly RuleProblem[] {
  if (runsSideBySide(strategy, instances)) return [];
  const why = {
    'blue-green': 'with blue-green stable has no traffic any more when the new release has it',
    canary: 'the only stage leaves stable no traffic',
    rolling: 'all instances are replaced in one batch, which leaves stable no traffic',
  }[strategy.kind];
  return gates
    .filter((gate) => gate.kind === 'query' || gate.kind === 'relative')
    .filter(needsStable)
    .map((gate) => ({
      path: gate.kind === 'query' ? queryPath(gates, gate) : ['gates', gate.metric, 'worseThanStable'],
      message: `the new release cannot be compared with stable: ${why}`,
      remedy: fixedLimitRemedy(gate),
    }));
}

/** Of all limits only those of the request rate have two sides. */
function rateProblems({ gates }: DeploySpec): readonly RuleProblem[] {
  const limits = gates.filter((gate) => gate.kind === 'absolute').filter(({ metric }) => metric === 'requestRate');
  const least = limits.find(({ bound }) => bound === 'min')?.limit ?? 0;
  const most = limits.find(({ bound }) => bound === 'max')?.limit ?? Infinity;
  if (least <= most) return [];
  const message = `no rate is at least ${least}/s and at most ${most}/s`;
  return [{ path: ['gates', 'requestRate', 'min'], message, remedy: 'Lower min, or raise max.' }];
}

function queryPath(gates: DeploySpec['gates'], query: GateCheck): RuleProblem['path'] {
  return [
    'gates',
    'queries',
    gates.filter((gate) => gate.kind === 'query').indexOf(query as QueryCheck),
    'worseThanStable',
  ];
}

function fixedLimitRemedy(gate: QueryCheck | SampleCheck): string {
  if (gate.kind === 'query') return 'Give it a fixed limit only (max or min), or use canary.';
  const limit = gate.metric === 'availability' ? 'min' : 'max';
  return `Give this environment a gates.${gate.metric} with a fixed limit only (${limit}), or use canary.`;
}

function previewProblems({ router }: DeploySpec): readonly RuleProblem[] {
  if (router.driver === 'memory' || router.preview === undefined) return [];
  const { listen, preview } = router;
  if (!sameAddress(listen, preview)) return [];
  const message = `the preview would listen on port ${preview.port}, where users reach the service`;
  return [{ path: ['router', router.driver, 'preview'], message, remedy: 'Give it a port of its own.' }];
}

/** Twice the instances run side by side while a release takes over. */
function portProblems({ platform, instances }: DeploySpec): readonly RuleProblem[] {
  if (platform.driver === 'memory' || platform.ports === undefined) return [];
  const { from, to } = platform.ports;
  if (to - from + 1 >= 2 * instances) return [];
  const message = `the ports ${from} to ${to} are too few: two releases with ${instances} instances each run side by side`;
  const remedy = `Name at least ${2 * instances}, better ${3 * instances}, so that the release before can stay warm.`;
  return [{ path: ['platform', platform.driver, 'ports'], message, remedy }];
}
