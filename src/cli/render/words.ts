// The states of a deployment in plain words, with the tone in which they are shown.

import { isFinal, isWaiting, type Status } from '../../core/rollout/status.ts';
import type { Look } from './look.ts';

export const statusWords: Readonly<Record<Status, string>> = {
  INIT: 'is about to begin',
  BUILDING: 'copies the release into the release store',
  DEPLOYING: 'brings the new release up; it has no traffic yet',
  CANARY: 'gives the new release more traffic',
  CANARY_WAITING: 'watches the new release; more time or requests are needed',
  CANARY_EVALUATING: 'judges the new release',
  PROMOTING: 'moves the traffic over',
  PROMOTED: 'has moved all traffic over',
  VERIFYING: 'verifies the release that has all traffic now',
  VERIFIED: 'is done: its release is stable',
  PAUSED: 'stands still until a person goes on',
  AWAITING_APPROVAL: 'waits for a person to promote it',
  ROLLING_BACK: 'goes back to the stable release',
  ROLLED_BACK: 'went back: all traffic is on the stable release',
  FAILED: 'could not be brought to a safe end: a person must look',
};

/** The state in the colour of what it means. */
export function tone(status: Status, look: Look): (text: string) => string {
  if (status === 'VERIFIED') return look.paint.good;
  if (status === 'FAILED' || status === 'ROLLED_BACK' || status === 'ROLLING_BACK') return look.paint.bad;
  return isWaiting(status) ? look.paint.warn : look.paint.accent;
}

export function statusGlyph(status: Status, look: Look): string {
  if (status === 'VERIFIED') return look.glyphs.passed;
  return isFinal(status) ? look.glyphs.failed : look.glyphs.dot;
}
