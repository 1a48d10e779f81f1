// The rules that only the configuration knows, because the specification has no place for what they forbid.

import type { Settings } from '../schema/config.ts';
import type { RuleProblem } from './rule.ts';

export function settingsProblems(settings: Settings): readonly RuleProblem[] {
  const { directory, image } = settings.release;
  const problems: RuleProblem[] = [];
  if (directory === undefined && image === undefined) {
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
  return problems;
}
