// Reads YAML into plain values and remembers where in the text each of them stands.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { Path, Position, Problem } from './problem.ts';

export interface ConfigDocument {
  /** Maps, lists, texts, numbers, booleans and nulls only. */
  readonly value: unknown;
  /** Where the value at `path` (or its name) stands; the nearest there is where it does not exist. */
  locate(path: Path, what: 'name' | 'value'): Position | undefined;
}

/** No setting lies deeper than about ten levels. */
const deepest = 64;

/** A configuration of a hundred environments stays far below. */
const mostNodes = 20_000;

/** More problems than these are never shown. */
const mostProblems = 100;

/** Repeats by anchors beyond this can make a small file explode. */
const mostAliases = 100;

type PositionAt = (offset: number) => Position;

/** The document, or everything that keeps the text from being one. */
export function readDocument(text: string): ConfigDocument | readonly Problem[] {
  const lines = new LineCounter();
  // To find repeated names the library compares each with each other one; `nameProblems` needs no such time.
  const options = { prettyErrors: false, logLevel: 'error', schema: 'core', uniqueKeys: false } as const;
  const document = parseDocument(text, { ...options, lineCounter: lines });
  const position: PositionAt = (offset) => toPosition(lines, offset);
  const syntax = [...document.errors, ...document.warnings]
    .slice(0, mostProblems)
    .map((error) => syntaxProblem(plain(error.message, error.code), position(error.pos[0])));
  if (syntax.length > 0) return syntax;
  const structure = structureProblems(document, position);
  if (structure.length > 0) return structure;
  try {
    const value: unknown = document.toJS({ maxAliasCount: mostAliases });
    return { value, locate: locator(document, position) };
  } catch (thrown) {
    // The yaml library throws only for anchors here: too many repeats, or a repeat of something that holds it.
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const remedy = 'Write the repeated part out instead of using * and &.';
    return [syntaxProblem(`It cannot be unfolded: ${why}`, undefined, remedy)];
  }
}

function toPosition(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function plain(message: string, code: string): string {
  if (code === 'MULTIPLE_DOCS') return 'There is more than one document in the file';
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

/** Names that cannot be settings, anchors that are not set, and more or deeper settings than any configuration has. */
function structureProblems(document: Document, position: PositionAt): readonly Problem[] {
  const problems: Problem[] = [];
  const at = (node: unknown): Position => position(rangeStart(node) ?? 0);
  let nodes = 0;
  const visit = (node: unknown, depth: number): void => {
    nodes += 1;
    if (nodes > mostNodes || problems.length >= mostProblems) return;
    if (depth > deepest) {
      problems.push(syntaxProblem('It is nested too deeply', at(node)));
    } else if (isAlias(node) && node.resolve(document) === undefined) {
      const message = `The anchor &${node.source} is not set before it is used`;
      problems.push(syntaxProblem(message, at(node), 'Write the repeated part out.'));
    } else if (isMap(node)) {
      problems.push(...nameProblems(node, at));
      for (const item of node.items) visit(item.value, depth + 1);
    } else if (isSeq(node)) {
      for (const item of node.items) visit(item, depth + 1);
    }
  };
  visit(document.contents, 0);
  if (nodes <= mostNodes) return problems;
  const message = `There are more than ${mostNodes} settings in it`;
  return [syntaxProblem(message, at(document.contents), 'Name the right file; a configuration is far smaller.')];
}

/** Names that are no single texts, that come twice, or that JavaScript would take for its own. */
function nameProblems(map: YAMLMap, at: (node: unknown) => Position): readonly Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const { key } of map.items) {
    const name = nameOf(key);
    if (name === undefined) problems.push(syntaxProblem('A name in a map is not a single text', at(key)));
    else if (name === '__proto__') problems.push(refusedName(at(key)));
    else if (seen.has(name)) problems.push(syntaxProblem('The same name is given twice in one map', at(key)));
    else seen.add(name);
  }
  return problems;
}

function nameOf(key: unknown): string | undefined {
  return isScalar<string | number>(key) ? String(key.value ?? '') : undefined;
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

interface Step {
  readonly name?: unknown;
  readonly value: unknown;
}

/** Each map is indexed when it is first walked through. */
function locator(document: Document, position: PositionAt): ConfigDocument['locate'] {
  const indexes = new WeakMap<YAMLMap, ReadonlyMap<string, Step>>();
  const indexOf = (map: YAMLMap): ReadonlyMap<string, Step> => {
    const known = indexes.get(map) ?? stepsOf(map);
    indexes.set(map, known);
    return known;
  };
  const child = (parent: unknown, part: string | number): Step | undefined => {
    const node = isAlias(parent) ? parent.resolve(document) : parent;
    if (isMap(node)) return indexOf(node).get(String(part));
    const isItem = isSeq(node) && typeof part === 'number' && part < node.items.length;
    return isItem ? { value: node.items[part] } : undefined;
  };
  return (path, what) => {
    let node: unknown = document.contents;
    let found = rangeStart(node);
    for (const [index, part] of path.entries()) {
      const step = child(node, part);
      if (step === undefined) break;
      const wantsName = what === 'name' && index === path.length - 1;
      found = (wantsName ? undefined : rangeStart(step.value)) ?? rangeStart(step.name) ?? found;
      node = step.value;
    }
    return found === undefined ? undefined : position(found);
  };
}

function stepsOf(map: YAMLMap): ReadonlyMap<string, Step> {
  return new Map(map.items.map(({ key, value }) => [nameOf(key) ?? '', { name: key, value }]));
}

function rangeStart(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

/** A problem of the whole file. */
export function fileProblem(message: string, remedy: string): Problem {
  return { code: 'config.syntax', path: '', message, remedy };
}
