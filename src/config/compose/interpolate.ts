// Puts variables into texts as Compose does, and remembers which parts came from them; pure.

/** Part of a text: as it stands in the file, or the value of a variable. */
export type Part = string | { readonly variable: string; readonly value: string };

/** What keeps a text from being put together; its message is a sentence without full stop, and quotes no text that may be a secret. */
export class InterpolationProblem extends Error {
  /** The message without what the text itself says. */
  readonly plain: string;

  constructor(plain: string, said = '') {
    super(said === '' ? plain : `${plain} (${said})`);
    this.plain = plain;
  }
}

/** Undefined: the variable is not set. */
export type Lookup = (name: string) => string | undefined;

export function textOf(parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : part.value)).join('');
}

const deepest = 20;
const nameShape = /^[A-Za-z_][A-Za-z0-9_]*/;

/**
 * `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`, `${NAME?message}`, `${NAME:+other}`, `${NAME+other}`,
 * one in another, and `$$` for a dollar sign. A variable that is not set is empty. Throws `InterpolationProblem`.
 */
export function interpolate(text: string, lookup: Lookup, depth = 0): readonly Part[] {
  if (depth > deepest) throw new InterpolationProblem('nests variables too deeply');
  const parts: Part[] = [];
  let plain = '';
  for (let at = 0; at < text.length;) {
    const dollar = text.indexOf('$', at);
    if (dollar === -1) {
      plain += text.slice(at);
      break;
    }
    plain += text.slice(at, dollar);
    if (text[dollar + 1] === '$') {
      plain += '$';
      at = dollar + 2;
      continue;
    }
    const { found, end } = readVariable(text, dollar, lookup, depth);
    if (plain !== '') parts.push(plain);
    plain = '';
    parts.push(...found);
    at = end;
  }
  if (plain !== '') parts.push(plain);
  return parts;
}

function readVariable(
  text: string,
  dollar: number,
  lookup: Lookup,
  depth: number,
): { readonly found: readonly Part[]; readonly end: number } {
  if (text[dollar + 1] !== '{') {
    const [name] = nameShape.exec(text.slice(dollar + 1)) ?? [];
    if (name === undefined) throw invalid();
    return { found: valueOf(name, lookup), end: dollar + 1 + name.length };
  }
  const end = endOfBraces(text, dollar + 2);
  if (end === -1) throw invalid();
  return { found: readBraces(text.slice(dollar + 2, end), lookup, depth), end: end + 1 };
}

/** The brace that ends what begins at `from`, past those of variables inside it. */
function endOfBraces(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '$' && text[at + 1] === '{') {
      open += 1;
      at += 1;
    } else if (text[at] === '}') {
      open -= 1;
      if (open === 0) return at;
    }
  }
  return -1;
}

function readBraces(inside: string, lookup: Lookup, depth: number): readonly Part[] {
  const [name = ''] = nameShape.exec(inside) ?? [];
  const [, operator, rest = ''] = /^(:?[-?+])(.*)$/s.exec(inside.slice(name.length)) ?? [];
  if (name === '') throw invalid();
  if (operator === undefined) {
    if (inside !== name) throw invalid();
    return valueOf(name, lookup);
  }
  const value = lookup(name);
  const has = value !== undefined && !(value === '' && operator.startsWith(':'));
  const other = (): readonly Part[] => interpolate(rest, lookup, depth + 1);
  if (operator.endsWith('+')) return has ? other() : [];
  if (has) return valueOf(name, lookup);
  if (operator.endsWith('-')) return other();
  throw new InterpolationProblem(`needs the variable ${name}, which is not set`, textOf(other()));
}

function valueOf(name: string, lookup: Lookup): readonly Part[] {
  const value = lookup(name);
  return value === undefined ? [] : [{ variable: name, value }];
}

function invalid(): InterpolationProblem {
  return new InterpolationProblem('has a variable that is not well-formed; write $$ for a dollar sign');
}
