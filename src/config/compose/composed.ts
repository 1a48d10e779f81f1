// What a Compose file says about one service, in Sluice's own words.

import type { ContainerRun } from '../../core/container.ts';
import type { EnvironmentValue, RunLimits } from '../../core/release.ts';

export interface ComposedService {
  /** The names by which Compose knows what it made. */
  readonly project: string;
  readonly service: string;
  readonly image: string;
  /** Empty: the image's own. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, EnvironmentValue>>;
  readonly user?: string | undefined;
  readonly limits: RunLimits;
  /** Where it says, by `expose`, `ports` or the variable `PORT`. */
  readonly port?: number | undefined;
  /** Everything but its port. */
  readonly container: Partial<ContainerRun>;
  /** Names under which other containers find it. */
  readonly names: readonly string[];
  /** Services of the file that depend on this one. */
  readonly neededBy: readonly string[];
}
