// Reads YAML into plain values and remembers where in the text each of them stands.

import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { type Path, pathText, type Position, type Problem } from './problem.ts';

export interface ConfigDocument {
  /** Maps, lists, texts, numbers, booleans and nulls only. */
  readonly value: unknown;
  /** Where the value at `path` (or its name) stands; the nearest there is where it does not exist. */
  locate(path: Path, what: 'name' | 'value'): Position | undefined;
}

/** No setting lies deeper than about ten levels. */
const deepest = 64;

/** Repeats by anchors beyond this can make a small file explode. */
const mostAliases = 100;

/** The document, or everything that keeps the text from being one. */
export function readDocument(text: string): ConfigDocument | readonly Problem[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error', schema: 'core' });
  const position = (offset: number): Position => toPosition(lines, offset);
  const syntax = [...document.errors, ...document.warnings].map((error) =>
    syntaxProblem(plain(error.message, error.code), position(error.pos[0])),
  );
  if (syntax.length > 0) return syntax;
  const structure = structureProblems(document, position);
  if (structure.length > 0) return structure;
  try {
    const value: unknown = document.toJS({ maxAliasCount: mostAliases });
    return { value, locate: (path, what) => locate(document, path, what, position) };
  } catch (thrown) {
    // The yaml library throws only for anchors here: too many repeats, or a repeat of something that holds it.
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return [
      syntaxProblem(`cannot be unfolded: ${why}`, undefined, 'Write the repeated part out instead of using * and &.'),
    ];
  }
}

function toPosition(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function plain(message: string, code: string): string {
  if (code === 'MULTIPLE_DOCS') return 'There is more than one document in the file';
  if (code === 'DUPLICATE_KEY') return 'The same name is given twice in one map';
  if (/call stack/.test(message)) return 'It is nested too deeply';
  return message.split('\n', 1)[0] ?? message;
}

function syntaxProblem(
  message: string,
  position: Position | undefined,
  remedy = 'Correct the YAML: two spaces for each level, a space behind each colon, texts with special characters in quotes.',
): Problem {
  return { code: 'config.syntax', path: '', message, remedy, position };
}

/** Names that are no texts, names that JavaScript would take for its own, and nesting that no configuration has. */
function structureProblems(document: Document, position: (offset: number) => Position): Problem[] {
  const problems: Problem[] = [];
  const at = (node: unknown): Position => position((node as Node | undefined)?.range?.[0] ?? 0);
  const visit = (node: unknown, depth: number): void => {
    if (depth > deepest) {
      problems.push(syntaxProblem('It is nested too deeply', at(node)));
    } else if (isAlias(node) && node.resolve(document) === undefined) {
      problems.push(
        syntaxProblem(
          `The anchor &${node.source} is not set before it is used`,
          at(node),
          'Write the repeated part out.',
        ),
      );
    } else if (isPair(node)) {
      if (!isScalar(node.key)) problems.push(syntaxProblem('A name in a map is not a single text', at(node.key)));
      else if (node.key.value === '__proto__') problems.push(refusedName(at(node.key)));
      visit(node.value, depth + 1);
    } else if (isMap(node) || isSeq(node)) {
      for (const item of node.items) visit(item, depth + 1);
    }
  };
  visit(document.contents, 0);
  return problems;
}

function refusedName(position: Position): Problem {
  return {
    code: 'config.invalid',
    path: '__proto__',
    message: '__proto__ is not a setting',
    remedy: 'Remove it.',
    position,
  };
}

function locate(
  document: Document,
  path: Path,
  what: 'name' | 'value',
  position: (offset: number) => Position,
): Position | undefined {
  let node: unknown = document.contents;
  let found = rangeStart(node);
  for (const [index, part] of path.entries()) {
    const step = child(document, node, part);
    if (step === undefined) break;
    const wantsName = what === 'name' && index === path.length - 1;
    found = (wantsName ? rangeStart(step.name) : (rangeStart(step.value) ?? rangeStart(step.name))) ?? found;
    node = step.value;
  }
  return found === undefined ? undefined : position(found);
}

function child(
  document: Document,
  parent: unknown,
  part: string | number,
): { name?: unknown; value: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(node) && typeof part === 'number')
    return part < node.items.length ? { value: node.items[part] } : undefined;
  if (!isMap(node)) return undefined;
  const pair = node.items.find(
    (item) => isScalar<string | number>(item.key) && String(item.key.value ?? '') === String(part),
  );
  return pair === undefined ? undefined : { name: pair.key, value: pair.value };
}

function rangeStart(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

/** Shown instead of the path where a problem concerns the whole file. */
export function fileProblem(message: string, remedy: string): Problem {
  return { code: 'config.syntax', path: pathText([]), message, remedy };
}
