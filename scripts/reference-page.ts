// What the generators of docs/reference have in common: a page, and tables in Markdown.

export interface ReferencePage {
  /** In the project, such as `docs/reference/config.md`. */
  readonly path: string;
  readonly text: string;
}

/** The line under a page's title. */
export function generatedNotice(source: string): string {
  return `*Generated from ${source} by \`node scripts/reference.ts\`; change it there.*`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Table cells are one line, and a `|` in them does not end them. */
function cell(text: string): string {
  return text.replaceAll('\n', ' ').replaceAll('|', String.raw`\|`);
}
