// One line of the log when a metric source stops to answer, or answers again: each time, not at each question.

import type { NoNumber } from '../core/metrics/question.ts';
import type { Log } from '../base/log.ts';

export function noteSource(
  log: Log,
  fields: Readonly<Record<string, unknown>>,
  before: NoNumber | undefined,
  now: NoNumber | undefined,
): void {
  if (now !== undefined && now.reason !== before?.reason)
    log.write('warn', 'a metric source has no number', { ...fields, reason: now.reason, words: now.words });
  if (now === undefined && before !== undefined)
    log.write('info', 'a metric source has a number again', { ...fields, before: before.reason });
}
