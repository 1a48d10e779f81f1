// The words of a problem with a setting: what is wrong with it, and what to write instead.

/** zod carries one text per problem, so the two sentences travel as two lines of it. */
const separator = '\n';

/** `problem` follows the value in a sentence (`is not a duration`); `remedy` is a sentence of its own. */
export function words(problem: string, remedy: string): string {
  return `${problem}${separator}${remedy}`;
}

/** Takes the two apart again; a text that was not made by `words` has no remedy. */
export function splitWords(text: string): { readonly problem: string; readonly remedy: string | undefined } {
  const at = text.indexOf(separator);
  return at < 0
    ? { problem: text, remedy: undefined }
    : { problem: text.slice(0, at), remedy: text.slice(at + separator.length) };
}

/** `a`, `a or b`, `a, b or c`. */
export function oneOf(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;
}

const longestShown = 80;

/** A value as it is shown in a message: short, on one line, collections by their kind only, URLs without their password. */
export function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map of settings';
  const text = typeof value === 'string' ? JSON.stringify(withoutPasswords(value)) : `${value as number}`;
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}…`;
}

function withoutPasswords(text: string): string {
  return text.replaceAll(/(?<=:\/\/)[^/?#\s]*@/g, '[REDACTED]@');
}
