// Reads the text of a file of variables (`.env`, `env_file`) as Compose does; pure.

export interface VariableLine {
  readonly name: string;
  readonly text: string;
  /** Whether `$NAME` in it stands for another variable: not in single quotes. */
  readonly expands: boolean;
  /** From 1. */
  readonly line: number;
}

export interface VariablesFile {
  /** In the order of the file. */
  readonly lines: readonly VariableLine[];
  /** A later line of the same name stands in for an earlier one. */
  readonly variables: ReadonlyMap<string, VariableLine>;
  /** Names without a value, which take the one that the environment has. */
  readonly inherited: readonly string[];
  /** What is wrong with the first line that cannot be read. */
  readonly problem?: { readonly line: number; readonly message: string } | undefined;
}

/** More than a program can be given: Compose reads such a line, and the ones after it. */
const nameShape = /^(?:export[ \t]+)?([\p{L}\p{N}_.[\]-]+)[ \t]*(?:([=:])[ \t]*|$)/u;

export function readVariablesFile(content: string): VariablesFile {
  const found: VariableLine[] = [];
  const inherited: string[] = [];
  let problem: VariablesFile['problem'];
  const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (let index = 0; index < lines.length && problem === undefined; index += 1) {
    const line = (lines[index] ?? '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const [whole, name = '', separator] = nameShape.exec(line) ?? [];
    if (whole === undefined) problem = { line: index + 1, message: 'is not NAME=value' };
    else if (separator === undefined) inherited.push(name);
    else {
      const value = readValue([line.slice(whole.length), ...lines.slice(index + 1)]);
      if (typeof value === 'string') problem = { line: index + 1, message: value };
      else {
        found.push({ name, text: value.text, expands: value.expands, line: index + 1 });
        index += value.more;
      }
    }
  }
  return { lines: found, variables: new Map(found.map((line) => [line.name, line])), inherited, problem };
}

interface Value {
  readonly text: string;
  readonly expands: boolean;
  /** Lines beyond the first that it took. */
  readonly more: number;
}

/** A text: what is wrong with it. */
function readValue(lines: readonly string[]): Value | string {
  const [first = ''] = lines;
  const quote = first[0];
  if (quote !== '"' && quote !== "'") return { text: unquoted(first), expands: true, more: 0 };
  for (let more = 0; more < lines.length; more += 1) {
    const text = lines
      .slice(0, more + 1)
      .join('\n')
      .slice(1);
    const end = endOfQuote(text, quote);
    if (end === -1) continue;
    // Compose would take what stands there for another variable, or lose it.
    if (!/^\s*(?:#|$)/.test(text.slice(end + 1))) return 'has something behind the end of its quote';
    const inside = text.slice(0, end);
    return quote === "'"
      ? {
          text: inside.replaceAll(/\\(.)/gs, (both, letter: string) => (letter === "'" ? letter : both)),
          expands: false,
          more,
        }
      : { text: unescaped(inside), expands: true, more };
  }
  return 'has a quote that does not end';
}

/** A comment begins with a space and a number sign, but for Compose not at the beginning of a value, nor behind a tab. */
function unquoted(text: string): string {
  const comment = text.indexOf(' #');
  return (comment === -1 ? text : text.slice(0, comment)).trim();
}

function endOfQuote(text: string, quote: string): number {
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
  $: '$$',
};

/** `\$` becomes `$$`, which stands for a dollar sign where variables are put in. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gs, (both, letter: string) => escapes[letter] ?? both);
}
