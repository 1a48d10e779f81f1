// Collects what a Compose file says that cannot be honoured, so that a person sees all of it at once.

import { pathText, type Path, type Problem } from '../problem.ts';

export class ComposeProblems {
  readonly found: Problem[] = [];

  add(path: Path, message: string, remedy: string): void {
    const where = pathText(path);
    const text = where === '' ? message : `${where}: ${message}`;
    this.found.push({ code: 'config.invalid', path: where, message: text, remedy });
  }

  refuse(path: Path, reason: string): void {
    const remedy = 'Remove it, or keep this service with Compose. docs/drivers/docker.md lists what is honoured.';
    this.add(path, `cannot be honoured: ${reason}`, remedy);
  }
}
