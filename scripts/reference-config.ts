// Makes docs/reference/config.md and config.schema.json from the configuration's schema.

import { mergedByName } from '../src/config/merge.ts';
import { configJsonSchema, definitionName, type SettingSchema } from '../src/config/json-schema.ts';
import { generatedNotice, type ReferencePage, table } from './reference-page.ts';

const introduction = `Sluice reads \`sluice.yaml\`, looked for in the current directory and upwards, or the file of \`--config\`. \`sluice init\`
writes one, \`sluice config check\` checks one. Editors that know JSON Schema complete and check it with
[config.schema.json](config.schema.json). Paths in it are relative to its directory. Unknown settings are errors.

## Values

| Value | Form | Examples |
|---|---|---|
| duration | numbers with their units \`ms\`, \`s\`, \`m\`, \`h\`, \`d\` | \`500ms\`, \`30s\`, \`1m30s\` |
| percentage | a number and \`%\` | \`1%\`, \`0.5%\` |
| size | a number and its unit: \`B\`, \`KiB\`, \`MiB\`, \`GiB\`, \`TiB\` (of 1024), or \`kB\`, \`MB\`, \`GB\`, \`TB\` (of 1000) | \`64MiB\`, \`1.5GiB\` |
| rate | a number per \`s\`, \`m\` or \`h\` | \`10/s\`, \`90/m\` |
| command | text or a list | \`node server.js\`, \`["node", "server.js"]\` |

A number without its unit is an error. No shell runs a command. In one that is written as text, spaces part the words; \`'…'\` keeps
everything in it as it is; \`"…"\` keeps spaces; outside \`'…'\` a backslash takes the next character as it is. There are no variables,
globs, pipes or redirections: for those write \`["sh", "-c", "exec program --port $PORT"]\`.

## Environments

Every setting except \`service\` can also stand in an environment. ${mergedByName.map((name) => `\`${name}\``).join(', ')} are then merged name by
name: \`env.LOG_LEVEL\` of an environment replaces that one variable, \`gates.p95\` that one gate. Every other setting of an environment,
lists included, replaces the service’s as a whole. Of two settings of which only one can be (\`health.path\` and \`health.tcp\`,
\`release.directory\` and \`release.image\`) the environment’s displaces the service’s.`;

export function configPages(): readonly ReferencePage[] {
  const schema = configJsonSchema();
  return [
    { path: 'docs/reference/config.md', text: renderReference(schema) },
    { path: 'docs/reference/config.schema.json', text: `${JSON.stringify(schema, undefined, 2)}\n` },
  ];
}

/** So many places still make a readable heading. */
const mostPlaces = 3;

interface Section {
  /** The definition in the schema. */
  readonly name: string;
  /** Every place where it is used: `gates.p50`, `gates.p95`, `gates.p99`. */
  readonly places: readonly string[];
  readonly schema: SettingSchema;
}

function renderReference(root: SettingSchema): string {
  const sections = sectionsOf(root);
  const titles = new Map(sections.map((section) => [section.name, titleOf(section)]));
  const parts = sections.map(
    ({ name, schema }) => `## ${titles.get(name) ?? name}\n\n${settingsTable(schema, root, titles)}`,
  );
  const head = ['# Configuration', generatedNotice('src/config/schema'), introduction];
  return `${[...head, `## Settings\n\n${settingsTable(root, root, titles)}`, ...parts].join('\n\n')}\n`;
}

/** One section for each map of settings, in the order in which they are first met. */
function sectionsOf(root: SettingSchema): readonly Section[] {
  const sections = new Map<string, Section>();
  const visit = (schema: SettingSchema, path: string): void => {
    const name = definitionName(schema);
    if (name !== undefined) {
      const definition = root.$defs?.[name];
      const met = sections.get(name);
      if (met !== undefined) sections.set(name, { ...met, places: [...met.places, path] });
      if (definition === undefined || met !== undefined || name === 'Environment') return;
      if (hasSettings(definition)) sections.set(name, { name, places: [path], schema: definition });
      visit(definition, path);
      return;
    }
    for (const [key, value] of Object.entries(schema.properties ?? {}))
      visit(value, path === '' ? key : `${path}.${key}`);
    for (const alternative of schema.anyOf ?? []) visit(alternative, path);
    if (schema.items !== undefined) visit(schema.items, `${path}[]`);
    if (typeof schema.additionalProperties === 'object') visit(schema.additionalProperties, `${path}.*`);
  };
  visit(root, '');
  return [...sections.values()];
}

/** Its places, or its own name where they are too many. */
function titleOf({ name, places }: Section): string {
  return places.length > mostPlaces ? name : places.join(', ');
}

/** Whether a map has settings worth a table: one that only names alternatives is told by the alternatives' own sections. */
function hasSettings(definition: SettingSchema): boolean {
  return Object.keys(definition.properties ?? {}).length > 0;
}

type Titles = ReadonlyMap<string, string>;

function settingsTable(schema: SettingSchema, root: SettingSchema, titles: Titles): string {
  const rows = Object.entries(schema.properties ?? {}).map(([name, setting]) => [
    `\`${name}\``,
    valueText(setting, root, titles),
    defaultText(setting, schema.required?.includes(name) === true),
    setting.description ?? '',
  ]);
  return table(['Setting', 'Value', 'Default', 'Meaning'], rows);
}

function defaultText(setting: SettingSchema, required: boolean): string {
  if (required) return '**needed**';
  const value = setting.default;
  if (value === undefined || isEmpty(value)) return '';
  return code(Array.isArray(value) ? `[${value.join(', ')}]` : value);
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** What a person writes there: `duration`, `1 to 1000`, `canary or blue-green`, a link to a section. */
function valueText(schema: SettingSchema, root: SettingSchema, titles: Titles): string {
  const name = definitionName(schema);
  if (name !== undefined) return referenceText(name, root, titles);
  if (schema.title !== undefined) return schema.title;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema.anyOf !== undefined) return alternatives(schema.anyOf, root, titles);
  if (schema.items !== undefined) return `list of ${valueText(schema.items, root, titles)}`;
  if (schema.properties !== undefined) return namesText(schema.properties, root, titles);
  if (typeof schema.additionalProperties === 'object')
    return `map to ${valueText(schema.additionalProperties, root, titles)}`;
  return scalarText(schema);
}

function referenceText(name: string, root: SettingSchema, titles: Titles): string {
  const title = titles.get(name);
  if (title !== undefined) return `[${title}](#${anchor(title)})`;
  if (name === 'Environment') return '[settings](#settings)';
  const definition = root.$defs?.[name] ?? {};
  return definition.type === 'object' && definition.properties !== undefined
    ? '`{}`'
    : valueText(definition, root, titles);
}

function alternatives(schemas: readonly SettingSchema[], root: SettingSchema, titles: Titles): string {
  return [...new Set(schemas.map((one) => valueText(one, root, titles)))].join(' or ');
}

function namesText(properties: Readonly<Record<string, SettingSchema>>, root: SettingSchema, titles: Titles): string {
  return Object.entries(properties)
    .map(([name, schema]) => `\`${name}:\` ${valueText(schema, root, titles)}`)
    .join(', ');
}

function scalarText({ type, minimum, maximum }: SettingSchema): string {
  if (type === 'integer' && minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (type === 'boolean') return '`true`, `false`';
  if (type === 'string') return 'text';
  return type ?? 'anything';
}

/** A single value as code. */
function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** As GitHub makes the anchor of a heading. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
