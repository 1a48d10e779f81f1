// Durations as people write them ("90s", "1m30s") to milliseconds and back.

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const shape = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** Milliseconds of a duration such as `500ms`, `30s`, `1m30s`, `2h`, `7d`; undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  if (!shape.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(part)) totalMs += Number(amount) * unitsMs[unit as keyof typeof unitsMs];
  return totalMs;
}

/** A duration as people read it: `250ms`, `2.5s`, `1m30s`; from a minute on in whole seconds. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)}ms`;
  if (durationMs < 60_000) return `${Number((durationMs / 1000).toFixed(1))}s`;
  let restMs = Math.round(durationMs / 1000) * 1000;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(restMs / unitsMs[unit]);
    if (count > 0) text += `${count}${unit}`;
    restMs -= count * unitsMs[unit];
  }
  return text;
}
