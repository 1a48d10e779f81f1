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
const fieldLine = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)\r\n/y;

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
    const match = fieldLine.exec(text);
    if (match === null) return new Refusal(400, 'A header line is malformed.');
    const next = fieldLine.lastIndex;
    const [, name = '', value = ''] = match;
    if (known.lengths[name.length] === true) {
      const verdict = known.rules.get(name.toLowerCase())?.(draft, trimmedEnd(value)) ?? true;
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

/** The values of one field in a head that `scanFields` accepted. */
export function fieldValues(text: string, from: number, lowerName: string): readonly string[] {
  const values: string[] = [];
  fieldLine.lastIndex = from;
  for (let match = fieldLine.exec(text); match !== null; match = fieldLine.exec(text)) {
    const [, name = '', value = ''] = match;
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) values.push(trimmedEnd(value));
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

/** Without the blanks and tabs at its end. `String.trim` would also take characters that another parser sees as part of the value. */
function trimmedEnd(value: string): string {
  let end = value.length;
  while (end > 0 && (value.charCodeAt(end - 1) === 32 || value.charCodeAt(end - 1) === 9)) end -= 1;
  return end === value.length ? value : value.slice(0, end);
}
