// The words of reasons: what was seen is shown short, on one line, and without the secrets that were sent.

const longestReason = 500;
const longestSeen = 120;

/** A reason as it may be shown and stored: one line of at most 500 characters. */
export function cutReason(reason: string): string {
  return cut(oneLine(reason), longestReason);
}

/** Text of the other side as it may be shown. A release that echoes what it was sent must not make a secret public. */
export function seenText(text: string, secrets: readonly string[], longest = longestSeen): string {
  // Longer secrets first, so that one that contains another leaves nothing of itself behind.
  const known = secrets.filter((secret) => secret !== '').sort((a, b) => b.length - a.length);
  // Cut first to bound the work, with room for a secret that begins within the part that is shown.
  const room = longest + (known[0]?.length ?? 0);
  const hidden = known.reduce((rest, secret) => rest.replaceAll(secret, '[REDACTED]'), text.slice(0, room));
  return JSON.stringify(cut(oneLine(hidden), longest));
}

/** The end of a text rather than its beginning: the last lines are those that tell. */
export function lastWords(text: string, longest: number): string {
  const line = oneLine(text.trim().replaceAll(/\s*\n\s*/g, ' | '));
  return line.length <= longest ? line : `…${line.slice(line.length - longest + 1)}`;
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

function oneLine(text: string): string {
  // oxlint-disable-next-line eslint/no-control-regex -- replacing them is the purpose
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
