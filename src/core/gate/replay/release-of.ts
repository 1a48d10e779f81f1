// Tells which release a line of a log belongs to: by a part of the line, or by anything in it.

/** How the releases are told apart: what matches `candidate` is the candidate's; any other is stable's, or only what matches `stable`. */
export interface ReleasePatterns {
  readonly candidate: RegExp;
  readonly stable?: RegExp | undefined;
  /**
   * The part that is matched: a name (`upstream` finds `upstream=v2` and `"upstream":"v2"`, in CSV the column of that title), or the
   * number of a word, from 1, or from the end with -1. Undefined: the whole line.
   */
  readonly field?: string | undefined;
}

/** `nothing`: of neither release · `missing`: the line does not have the part that tells. */
export type ReleaseOf = 'candidate' | 'stable' | 'nothing' | 'missing';

/** What logs write where a request reached no server. */
const nobody = new Set(['', '-', '<NOSRV>']);

export function releaseOfText(text: string, { candidate, stable }: ReleasePatterns): ReleaseOf {
  // search, not test: a pattern with the flag g would remember where it was
  if (text.search(candidate) >= 0) return 'candidate';
  return stable === undefined || text.search(stable) >= 0 ? 'stable' : 'nothing';
}

/** A value that stands for "no server" is of neither release, whatever the patterns say. */
export function releaseOfField(value: string | undefined, patterns: ReleasePatterns): ReleaseOf {
  if (value === undefined) return 'missing';
  return nobody.has(value) ? 'nothing' : releaseOfText(value, patterns);
}

/** Finds a named or numbered part of lines; made once, used on every line. */
export function createFieldReader(field: string): (line: string) => string | undefined {
  if (/^-?[1-9]\d{0,3}$/.test(field)) return (line) => wordsOf(line).at(fromOne(Number(field)));
  const named = new RegExp(`(?<![\\w.-])"?${escapePattern(field)}"?[=:] ?(?:"([^"]*)"|([^\\s,"}]+))`);
  return (line) => {
    const match = named.exec(line);
    return match === null ? undefined : (match[1] ?? match[2]);
  };
}

const fromOne = (position: number): number => (position > 0 ? position - 1 : position);

/** Words of a line; what stands in quotes or brackets is one word, without them. */
function wordsOf(line: string): string[] {
  const word = /"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)/g;
  return Array.from(line.matchAll(word), ([whole, quoted, bracketed]) => quoted ?? bracketed ?? whole);
}

/**
 * A pattern for what a person gave: `/…/` is a regular expression, with flags `i` or `u` behind it. Anything else is found as it
 * stands, as a whole value where `exact`, otherwise as a word that is not part of a longer one. Undefined when it is no expression.
 */
export function patternOf(given: string, exact: boolean): RegExp | undefined {
  const expression = /^\/(.+)\/([iu]{0,2})$/.exec(given);
  if (expression !== null) return compiled(expression[1] ?? '', expression[2] ?? '');
  const text = escapePattern(given);
  return exact ? new RegExp(`^${text}$`) : new RegExp(`(?<![\\w-]|\\w\\.)${text}(?![\\w-]|\\.\\w)`);
}

function compiled(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

const escapePattern = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
