// Splits a command that was written as one text into a program and its arguments, without a shell's other powers.

export type SplitCommand =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'problem'; readonly problem: string; readonly remedy: string };

/** The characters that would mean something to a shell; unquoted they are refused rather than passed on as they are. */
const shellOnly = new Set('|&;<>()`');

interface Reader {
  readonly words: string[];
  /** The word being read; undefined between words, so that `''` is a word of its own. */
  word: string | undefined;
  quote: '"' | "'" | undefined;
}

/**
 * The rules: spaces part words; `'…'` keeps everything as it is; `"…"` keeps spaces; outside `'…'` a backslash takes the next
 * character as it is. Variables, globs, pipes and redirections do not exist.
 */
export function splitCommand(text: string): SplitCommand {
  const reader: Reader = { words: [], word: undefined, quote: undefined };
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    const next = text.charAt(index + 1);
    if (character === '\0') return problem('holds a NUL character', 'Remove it.');
    if (character === '\\' && reader.quote !== "'") {
      if (next === '') return problem('ends with a backslash', 'Remove it, or write two.');
      reader.word = (reader.word ?? '') + next;
      index += 1;
      continue;
    }
    const refused = reader.quote === "'" ? undefined : needsShell(character, next, reader.quote);
    if (refused !== undefined) return refused;
    take(reader, character);
  }
  if (reader.quote !== undefined) return problem(`has a ${reader.quote} that is not closed`, 'Close the quote.');
  if (reader.word !== undefined) reader.words.push(reader.word);
  if (reader.words.length === 0) return problem('names no program', 'Write a command, such as node server.js.');
  if (reader.words[0] === '') return problem('names no program', 'Begin with the program, such as node server.js.');
  return { kind: 'words', words: reader.words };
}

function take(reader: Reader, character: string): void {
  if (character === reader.quote) {
    reader.quote = undefined;
  } else if (reader.quote !== undefined) {
    reader.word = (reader.word ?? '') + character;
  } else if (character === '"' || character === "'") {
    reader.quote = character;
    reader.word ??= '';
  } else if (/\s/.test(character)) {
    if (reader.word !== undefined) reader.words.push(reader.word);
    reader.word = undefined;
  } else {
    reader.word = (reader.word ?? '') + character;
  }
}

function needsShell(character: string, next: string, quote: '"' | "'" | undefined): SplitCommand | undefined {
  const variable = character === '$' && /[A-Za-z_{(]/.test(next);
  if (!variable && (quote !== undefined || !shellOnly.has(character))) return undefined;
  return problem(
    `needs a shell for its ${variable ? '$' : character}`,
    'No shell runs it: write a list such as ["sh", "-c", "exec program --port $PORT"], or put the text in single quotes to pass it on as it is.',
  );
}

function problem(what: string, remedy: string): SplitCommand {
  return { kind: 'problem', problem: what, remedy };
}
