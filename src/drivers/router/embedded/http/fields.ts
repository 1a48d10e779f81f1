// Header fields as RFC 9112 writes them, and nothing else: what two programs could read in two ways is refused.

/** A message that is refused: the status to answer with and a plain reason. */
export class Refusal {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string) {
    this.status = status;
    this.reason = reason;
  }
}

/** Notes a field of special meaning: true keeps its line in the forwarded head, false leaves it out. */
export type FieldRule<Draft> = (draft: Draft, value: string) => boolean | Refusal;

export interface FieldRules<Draft> {
  readonly rules: ReadonlyMap<string, FieldRule<Draft>>;
  /** Which lengths the names have, so that most fields are passed over without lower-casing their names. */
  readonly lengths: readonly boolean[];
}

export function fieldRules<Draft>(rules: Readonly<Record<string, FieldRule<Draft>>>): FieldRules<Draft> {
  const longest = Math.max(...Object.keys(rules).map((name) => name.length));
  const lengths = Array.from({ length: longest + 1 }, () => false);
  for (const name of Object.keys(rules)) lengths[name.length] = true;
  return { rules: new Map(Object.entries(rules)), lengths };
}

// No space before the colon, no folded line, no bare CR or LF, no other control character: each of these hides a field from
// one of two parsers.
const fieldLine = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n/y;

const carriageReturn = 13;

/**
 * Reads the fields of a head from `from` on, where `text` ends with the empty line. Returns the lines that are forwarded as they
 * came, each with its CRLF.
 */
export function scanFields<Draft>(
  text: string,
  from: number,
  known: FieldRules<Draft>,
  draft: Draft,
): string | Refusal {
  let kept = '';
  let keptFrom = from;
  let at = from;
  while (text.charCodeAt(at) !== carriageReturn) {
    fieldLine.lastIndex = at;
    // Only tested, because what a match would hold is mostly not needed, and this runs for every line of every message.
    if (!fieldLine.test(text)) return new Refusal(400, 'A header line is malformed.');
    const next = fieldLine.lastIndex;
    const colon = text.indexOf(':', at);
    if (known.lengths[colon - at] === true) {
      const rule = known.rules.get(text.slice(at, colon).toLowerCase());
      const verdict = rule === undefined ? true : rule(draft, trimmed(text, colon + 1, next - 2));
      if (verdict === false) {
        kept += text.slice(keptFrom, at);
        keptFrom = next;
      } else if (verdict !== true) return verdict;
    }
    at = next;
  }
  // The empty line must be the last two characters, or a bare CR hid in the head.
  if (at !== text.length - 2) return new Refusal(400, 'A header line is malformed.');
  return kept + text.slice(keptFrom, at);
}

const usualHeadBytes = 2_048;

/** The head from `start` to its empty line; undefined when that is not there yet, or beyond `bytesMax`. */
export function headText(buffer: Buffer, start: number, bytesMax: number): string | undefined {
  // Looking in a string is quicker than looking in a buffer, and most heads are short.
  const text = buffer.toString('latin1', start, start + Math.min(usualHeadBytes, bytesMax));
  const end = text.indexOf('\r\n\r\n');
  if (end >= 0) return text.slice(0, end + 4);
  if (buffer.length - start <= usualHeadBytes) return undefined;
  const farEnd = buffer.indexOf('\r\n\r\n', start);
  return farEnd < 0 || farEnd + 4 - start > bytesMax ? undefined : buffer.toString('latin1', start, farEnd + 4);
}

/** The values of one field in a head that `scanFields` accepted. */
export function fieldValues(text: string, from: number, lowerName: string): readonly string[] {
  const values: string[] = [];
  fieldLine.lastIndex = from;
  for (let at = from; fieldLine.test(text); at = fieldLine.lastIndex) {
    const colon = text.indexOf(':', at);
    if (colon - at !== lowerName.length || text.slice(at, colon).toLowerCase() !== lowerName) continue;
    values.push(trimmed(text, colon + 1, fieldLine.lastIndex - 2));
  }
  return values;
}

/** The lines whose names are not in `names` (lower case). */
export function withoutFields(lines: string, names: ReadonlySet<string>): string {
  return lines
    .split(/(?<=\r\n)/)
    .filter((line) => !names.has(line.slice(0, line.indexOf(':')).toLowerCase()))
    .join('');
}

/** Members of a comma-separated list, in lower case. */
export function listMembers(value: string): readonly string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((member) => member.replaceAll(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
}

/** A length in decimal digits; undefined for anything else, however harmless it looks (`+5`, `5, 5`, `0x5`). */
export function parseLength(value: string): number | undefined {
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** The text without the blanks and tabs around it. `String.trim` would also take characters that another parser sees as part of the value. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
