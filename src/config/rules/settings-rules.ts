// The rules that only the configuration knows, because the specification has no place for what they forbid.

import type { Settings } from '../schema/config.ts';
import { dockerProblems } from './docker-rules.ts';
import type { RuleProblem } from './rule.ts';

export function settingsProblems(settings: Settings): readonly RuleProblem[] {
  const { directory, image } = settings.release;
  const problems: RuleProblem[] = [];
  if (directory === undefined && image === undefined && settings.platform.name !== 'docker') {
    const remedy = 'Write the directory with the built release, such as directory: ./dist.';
    problems.push({ path: ['release', 'directory'], message: 'the directory of the release is missing', remedy });
  }
  if (directory !== undefined && image !== undefined) {
    const message = 'a release is either a directory or an image';
    problems.push({ path: ['release', 'image'], message, remedy: 'Remove release.image or release.directory.' });
  }
  if (settings.port !== undefined && settings.platform.name === 'process') {
    const message = 'the platform process gives each instance a port of its own';
    problems.push({ path: ['port'], message, remedy: 'Remove port; the program reads the variable PORT.' });
  }
  if (settings.platform.name === 'docker') problems.push(...dockerProblems(settings, settings.platform.settings));
  return [...problems, ...queryProblems(settings)];
}

function queryProblems({ gates, metrics }: Settings): readonly RuleProblem[] {
  return gates.queries.flatMap((query, index) => {
    const path = ['gates', 'queries', index];
    const problems: RuleProblem[] = [];
    const source = typeof query.source === 'string' ? metrics[query.source] : query.source;
    if (query.query !== undefined && query.template !== undefined) {
      const message = 'it has a query and a template';
      problems.push({ path: [...path, 'template'], message, remedy: 'Remove one of them.' });
    }
    if (query.template !== undefined && source !== undefined && source.name !== 'prometheus') {
      const message = 'templates are questions to a Prometheus';
      problems.push({ path: [...path, 'template'], message, remedy: 'Write query instead.' });
    }
    if (query.equals !== undefined && (query.max !== undefined || query.min !== undefined)) {
      const message = 'it has equals and another limit';
      problems.push({ path: [...path, 'equals'], message, remedy: 'Write equals alone, or max and min.' });
    }
    const counted = query.samples !== undefined || (query.template !== undefined && countsSamples(query.template.name));
    if (query.minSamples !== undefined && !counted) {
      const message = 'nobody says on how many samples the answer stands';
      problems.push({ path: [...path, 'minSamples'], message, remedy: 'Write samples, or remove minSamples.' });
    }
    return problems;
  });
}

function countsSamples(template: string): boolean {
  return template === 'errorRate' || template === 'quantile';
}
