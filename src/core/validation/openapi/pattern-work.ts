// Tells patterns that may take for ever on a text: a release on trial writes both, and must not hold up who judges it.

/** Steps of the matcher that one text is worth; about a millisecond. */
const mostSteps = 100_000;

/** Longer patterns are not looked into: to take their groups away one by one would take long itself. */
const longestPattern = 1000;

/** A group without groups in it, and how often it is repeated. */
const innermost = /\(([^()]*)\)([*+?]|\{\d+(?:,\d*)?\})?/;

/**
 * Whether matching a text of `length` characters may take more than a moment. Counts all ways in which the text can be split over
 * the pattern, so it takes some harmless patterns for slow ones, and never a slow one for harmless.
 */
export function mayTakeLong(pattern: string, length: number): boolean {
  const repeats = repeatsOf(pattern);
  if (repeats === undefined) return true;
  const splits = countOf(repeats, /[*+]|\{\d+,\d*\}/g) + (repeats.startsWith('^') ? 0 : 1);
  const choices = countOf(repeats, /[?|]/g);
  return 2 ** choices * Math.max(2, length) ** splits > mostSteps;
}

/** The pattern without its groups; undefined where a repeated group holds a repeat or a choice, for that grows without bound. */
function repeatsOf(pattern: string): string | undefined {
  if (pattern.length > longestPattern) return undefined;
  let rest = bareOf(pattern);
  for (let found = innermost.exec(rest); found !== null; found = innermost.exec(rest)) {
    const [whole, inner = '', repeat = ''] = found;
    if (repeat !== '' && repeat !== '?' && /[*+?{|]/.test(inner)) return undefined;
    rest = rest.slice(0, found.index) + inner + repeat + rest.slice(found.index + whole.length);
  }
  return rest;
}

/** Only groups, choices and repeats as they are; what stands for characters, and what repeats a character a fixed number of times, is plain. */
function bareOf(pattern: string): string {
  return pattern
    .replaceAll(/\\(?:[pPu]\{[^}]*\}|.)/gu, 'x')
    .replaceAll(/\[[^\]]*\]/g, 'x')
    .replaceAll(/\(\?(?:<?[=!]|:|<[^>]*>)/g, '(')
    .replaceAll(/(?<!\))\{\d+\}/g, '')
    .replaceAll(/([*+?}])\?/g, '$1');
}

function countOf(text: string, what: RegExp): number {
  return text.match(what)?.length ?? 0;
}
