// The states of a deployment.

export const statuses = [
  'INIT',
  'BUILDING',
  'DEPLOYING',
  'CANARY',
  'CANARY_WAITING',
  'CANARY_EVALUATING',
  'PROMOTING',
  'PROMOTED',
  'VERIFYING',
  'VERIFIED',
  'PAUSED',
  'AWAITING_APPROVAL',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'FAILED',
] as const;

export type Status = (typeof statuses)[number];

/** States that nothing leaves. */
export const finalStatuses: readonly Status[] = ['VERIFIED', 'ROLLED_BACK', 'FAILED'];

export function isFinal(status: Status): boolean {
  return finalStatuses.includes(status);
}

/** States in which a person has the word; time does not count there. */
export function isWaiting(status: Status): boolean {
  return status === 'PAUSED' || status === 'AWAITING_APPROVAL';
}
