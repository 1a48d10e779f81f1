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

/** After which deployment, counted from 0, which way back follows. A rolling deployment leaves nothing warm, so 2 has to start the old release. */
const waysBack: ReadonlyMap<number, Act['kind']> = new Map([
  [0, 'rollback'],
  [1, 'rollback'],
  [2, 'rollback'],
  [4, 'abort'],
  [6, 'gate'],
  [7, 'rollback'],
  [9, 'rollback'],
  [10, 'abort'],
  [12, 'gate'],
  [14, 'abort'],
  [16, 'rollback'],
]);

export function script(count: number): readonly Act[] {
  const acts: Act[] = [];
  for (let index = 0; index < count; index++) {
    const deployment = deployments[index % deployments.length];
    if (deployment !== undefined) acts.push(deployment);
    const back = waysBack.get(index);
    if (back !== undefined && back !== 'deploy') acts.push({ kind: back });
  }
  return acts;
}

/** What is played when the script is through and requests are still to be sent. */
export function extra(played: number): Act {
  return { kind: played % 3 === 0 ? 'gate' : 'abort' };
}
