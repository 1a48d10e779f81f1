// What the switch benchmark plays: deployments in a mix of the strategies, with ways back among them.

import type { Act } from '../../load/scenario.ts';

const deployments: readonly Act[] = [
  { kind: 'deploy', strategy: 'canary', instances: 2 },
  { kind: 'deploy', strategy: 'blue-green', instances: 1 },
  { kind: 'deploy', strategy: 'rolling', instances: 3 },
  { kind: 'deploy', strategy: 'canary', instances: 1 },
  { kind: 'deploy', strategy: 'blue-green', instances: 2 },
  { kind: 'deploy', strategy: 'rolling', instances: 2 },
];

/** What follows after which deployment, counted from 0. A rolling deployment leaves nothing warm, so after 2 the old release has to be started. */
const between: ReadonlyMap<number, Act> = new Map<number, Act>([
  [0, { kind: 'rollback' }],
  [1, { kind: 'rollback' }],
  [2, { kind: 'rollback' }],
  [4, { kind: 'abort', strategy: 'canary' }],
  [5, { kind: 'scale', instances: 3 }],
  [6, { kind: 'gate' }],
  [7, { kind: 'rollback' }],
  [8, { kind: 'scale', instances: 1 }],
  [9, { kind: 'rollback' }],
  [10, { kind: 'abort', strategy: 'blue-green' }],
  [12, { kind: 'gate' }],
  [14, { kind: 'abort', strategy: 'rolling' }],
  [16, { kind: 'rollback' }],
]);

export function script(count: number): readonly Act[] {
  const acts: Act[] = [];
  for (let index = 0; index < count; index++) {
    for (const act of [deployments[index % deployments.length], between.get(index)]) {
      if (act !== undefined) acts.push(act);
    }
  }
  return acts;
}

const extras: readonly Act[] = [
  { kind: 'gate' },
  { kind: 'abort', strategy: 'canary' },
  { kind: 'abort', strategy: 'blue-green' },
];

/** What is played when the script is through and requests are still to be sent. */
export function extra(played: number): Act {
  return extras[played % extras.length] ?? { kind: 'gate' };
}
