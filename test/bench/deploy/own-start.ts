// How long the service itself took from the beginning of its processes until they could serve, as it says itself.

import type { Client } from '../../../src/client/client.ts';
import type { Rollout } from '../../../src/core/rollout/rollout.ts';
import type { StartTimes } from '../../load/protocol.ts';

/** Of all instances of a deployment's release. */
export async function startTimes(client: Client, { plan }: Rollout): Promise<readonly StartTimes[]> {
  const [status] = await client.status(plan.scope);
  const ours = (status?.instances ?? []).filter(({ release }) => release === plan.candidate.id);
  return Promise.all(
    ours.map(async ({ address }) => {
      const answer = await fetch(`http://${address.host}:${address.port}/started`);
      return (await answer.json()) as StartTimes;
    }),
  );
}

/** Milliseconds of all starts, of which each waits for the one before; what is started side by side counts once. */
export function ownStartsMs(times: readonly StartTimes[], starts: number): number {
  const inOrder = [...times].sort((a, b) => a.began - b.began);
  const perStart = Math.ceil(inOrder.length / starts);
  let sum = 0;
  for (let first = 0; first < inOrder.length; first += perStart) {
    const group = inOrder.slice(first, first + perStart);
    sum += Math.max(...group.map(({ listening }) => listening)) - Math.min(...group.map(({ began }) => began));
  }
  return sum;
}
