// Reads which lines tests covered: LCOV and Cobertura XML.

import { badReport } from './report-file.ts';
import { descendants, parseXml } from './xml.ts';

/** Per file, as the report names it, the lines that can be covered and how often they were. */
export interface Coverage {
  readonly files: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** Directories that the names may be relative to. */
  readonly roots: readonly string[];
}

/** Beyond so many lines it is no report of a service. */
const mostLines = 2_000_000;

class Lines {
  readonly files = new Map<string, Map<number, number>>();
  readonly #file: string;
  #count = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** The same line may be told several times: once for each run of the tests. */
  add(source: string, line: number, hits: number): void {
    let lines = this.files.get(source);
    if (lines === undefined) this.files.set(source, (lines = new Map()));
    if (!lines.has(line)) this.#count += 1;
    if (this.#count > mostLines) throw badReport(this.#file, `tells of more than ${mostLines} lines`);
    lines.set(line, (lines.get(line) ?? 0) + hits);
  }
}

export function readCoverage(text: string, file: string): Coverage {
  return text.trimStart().startsWith('<') ? readCobertura(text, file) : readLcov(text, file);
}

/** `SF:path`, `DA:line,hits[,checksum]`, `end_of_record`; everything else is about functions and branches. */
function readLcov(text: string, file: string): Coverage {
  const lines = new Lines(file);
  let source: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('SF:')) source = line.slice(3).trim();
    else if (line.startsWith('end_of_record')) source = undefined;
    else if (line.startsWith('DA:')) {
      const match = /^DA:(\d{1,9}),(-?\d{1,15})/.exec(line);
      if (match === null || source === undefined) throw badReport(file, `is no LCOV report: line ${index + 1}`);
      lines.add(source, Number(match[1]), Math.max(0, Number(match[2])));
    }
  }
  if (lines.files.size === 0) throw badReport(file, 'tells of no covered file: neither LCOV nor Cobertura');
  return { files: lines.files, roots: [] };
}

function readCobertura(text: string, file: string): Coverage {
  const root = parseXml(text, file);
  if (root.name !== 'coverage') throw badReport(file, `is no Cobertura report: it begins with <${root.name}>`);
  const lines = new Lines(file);
  for (const part of descendants(root, 'class')) {
    const source = part.attributes['filename'];
    if (source === undefined) throw badReport(file, 'has a class without a file name');
    // the lines of methods stand a second time below them
    const own = part.children.filter(({ name }) => name === 'lines').flatMap(({ children }) => children);
    for (const { attributes } of own) {
      const [line, hits] = [Number(attributes['number']), Number(attributes['hits'])];
      if (!Number.isSafeInteger(line) || !(hits >= 0)) throw badReport(file, `has a line of ${source} without numbers`);
      lines.add(source, line, hits);
    }
  }
  return { files: lines.files, roots: rootsIn(text) };
}

/** `<sources><source>/app/src</source></sources>`: text, which the elements leave out. */
function rootsIn(text: string): readonly string[] {
  return Array.from(text.slice(0, 100_000).matchAll(/<source>([^<]{1,4096})<\/source>/g), (match) =>
    (match[1] ?? '').trim(),
  );
}
