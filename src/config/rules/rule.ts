// What a rule between settings finds: the setting by its path within an environment, what is wrong, and what to do.

import type { Path } from '../problem.ts';

export interface RuleProblem {
  /** `['health', 'within']`: as the setting is named in the configuration file, without its environment. */
  readonly path: Path;
  readonly message: string;
  readonly remedy: string;
  /** `config.invalid` where it is left out. */
  readonly code?: 'release.mutable' | undefined;
}
