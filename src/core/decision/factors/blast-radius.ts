// The factor "blast radius": how much harm a bad release could do with the next step, and how fast it could be undone.

import { shareText } from '../../routes.ts';
import { assessed, counted, type Assessed } from './factor.ts';

export const criticalities = ['low', 'medium', 'high', 'critical'] as const;

export type Criticality = (typeof criticalities)[number];

export interface Exposure {
  /** Basis points of traffic that the next step gives the candidate. */
  readonly share: number;
  /** Instances that the next step replaces at once, of all. */
  readonly atOnce: number;
  readonly instances: number;
  readonly criticality: Criticality;
  /** Whether the old release goes on running, so that going back is one switch. */
  readonly warmBack: boolean;
}

/** What is at stake when all users meet a bad release of such a service. */
const stakes: Readonly<Record<Criticality, number>> = { low: 20, medium: 40, high: 60, critical: 80 };

/** Going back to a release that must be started first takes so much longer. */
const coldFactor = 1.25;

export function blastRadiusFactor({ share, atOnce, instances, criticality, warmBack }: Exposure): Assessed {
  // a little traffic finds most of what is wrong, so harm grows faster than the share at first
  const exposed = Math.max(Math.sqrt(share / 10_000), instances === 0 ? 0 : (0.5 * atOnce) / instances);
  const loss = stakes[criticality] * exposed * (warmBack ? 1 : coldFactor);
  const reason =
    `${shareText(share)} of the traffic of a service of ${criticality} criticality, ` +
    `${atOnce} of ${counted(instances, 'instance')} at once, ` +
    (warmBack ? 'the old release goes on running' : 'the old release does not go on running');
  return assessed(100 - loss, reason);
}
