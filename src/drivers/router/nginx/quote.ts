// Text that others chose, in the words of NGINX's configuration.

/** A regular expression for exactly this text, without anchors: every byte but letters and digits is written by its number. */
export function exactly(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9_-]/.test(character) ? character : String.raw`\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

/** A parameter in quotes. What looks like a variable in it is one. */
export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)}"`;
}
