// Reads XML reports to plain elements, without entities: nothing in a report may refer to anything.

import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { badReport } from './report-file.ts';

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  htmlEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: 200,
});

/** The root element. Rejects with `report.invalid` what is not XML, and what declares entities. */
export function parseXml(text: string, file: string): Element {
  if (/<!ENTITY/i.test(text)) throw badReport(file, 'declares entities, which no report needs');
  const checked = XMLValidator.validate(text, { allowBooleanAttributes: false });
  if (checked !== true) throw badReport(file, `is not XML: line ${checked.err.line}: ${checked.err.msg}`);
  const roots = elementsOf(parsed(text, file));
  const [root] = roots;
  if (root === undefined) throw badReport(file, 'has no element');
  return root;
}

function parsed(text: string, file: string): unknown {
  try {
    return parser.parse(text) as unknown;
  } catch (thrown) {
    throw badReport(file, `is not XML: ${thrown instanceof Error ? thrown.message : String(thrown)}`, thrown);
  }
}

/** The parser gives one object per element: its name with its children, and its attributes under `:@`. */
function elementsOf(nodes: unknown): readonly Element[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: Readonly<Record<string, unknown>>): Element[] => {
    const name = Object.keys(node).find((key) => key !== ':@' && !key.startsWith('#'));
    if (name === undefined) return [];
    const attributes = (node[':@'] ?? {}) as Readonly<Record<string, string>>;
    return [{ name, attributes, children: elementsOf(node[name]) }];
  });
}

/** All elements of a name at any depth, those inside one another included. */
export function* descendants(element: Element, name: string): Generator<Element> {
  for (const child of element.children) {
    if (child.name === name) yield child;
    yield* descendants(child, name);
  }
}
