// Writes the configuration that a project starts with: what was answered, and the settings most often wanted, each explained.

import { stringify } from 'yaml';
import { configJsonSchema, type SettingSchema, settingAt } from './json-schema.ts';

export interface TemplateAnswers {
  readonly service: string;
  /** Of the built release, relative to the configuration file. */
  readonly directory: string;
  /** As a person types it; see the rules of `release.command`. */
  readonly command: string;
  /** `8080` or `127.0.0.1:8080`. */
  readonly listen: string;
  /** Undefined: the port accepts connections. */
  readonly healthPath?: string | undefined;
  readonly strategy: 'blue-green' | 'canary' | 'rolling';
}

interface Entry {
  readonly path: readonly string[];
  /** The value; undefined: its default, commented out. */
  readonly value?: unknown;
  /** Commented out, with this value to show the form. */
  readonly example?: unknown;
}

const lineWidth = 100;

const heading = `# The configuration of Sluice. Check it with \`sluice config check\`; \`sluice plan\` shows what a deployment would do.
# A setting behind # shows its default or its form: remove the # to change it.`;

const environments = `# The places where the service runs, each with the settings that differ there. Without it there is one, production.
#environments:
  #staging:
    #strategy: blue-green
    #router: { embedded: { listen: 18080 } }
  #production:
    #instances: 3`;

/** The text of a `sluice.yaml`; whether the answers are good ones, `parseConfig` says. */
export function renderTemplate(answers: TemplateAnswers): string {
  const schema = configJsonSchema();
  const lines: string[] = [heading];
  let open: readonly string[] = [];
  const all = entries(answers);
  for (const entry of all) {
    if (entry.path[0] !== open[0]) lines.push('');
    for (let depth = 1; depth < entry.path.length; depth += 1) {
      const parent = entry.path.slice(0, depth);
      if (!startsWith(open, parent)) lines.push(...parentLines(schema, parent, all));
    }
    lines.push(...settingLines(schema, entry));
    open = entry.path;
  }
  return `${lines.join('\n')}\n\n${environments}\n`;
}

function entries({ service, directory, command, listen, healthPath, strategy }: TemplateAnswers): readonly Entry[] {
  return [
    { path: ['service'], value: service },
    { path: ['release', 'directory'], value: directory },
    { path: ['release', 'command'], value: command },
    { path: ['release', 'limits', 'memory'], example: '512MiB' },
    { path: ['env', 'NODE_ENV'], example: 'production' },
    { path: ['env', 'DATABASE_URL'], example: { fromFile: './secrets/database-url' } },
    { path: ['instances'], value: 1 },
    { path: ['health', healthPath === undefined ? 'tcp' : 'path'], value: healthPath ?? true },
    { path: ['health', 'interval'] },
    { path: ['health', 'timeout'] },
    { path: ['validate'], ...validation(healthPath) },
    ...strategyEntries(strategy),
    { path: ['gates', 'errorRate'], example: { max: '5%' } },
    { path: ['gates', 'p95'], example: { max: '3s' } },
    { path: ['gates', 'availability'], example: { min: '95%' } },
    { path: ['watch', 'for'] },
    { path: ['drain'] },
    { path: ['stopGrace'] },
    { path: ['router', 'embedded', 'listen'], value: /^\d+$/.test(listen) ? Number(listen) : listen },
    { path: ['router', 'embedded', 'preview'], example: 8081 },
  ];
}

function validation(healthPath: string | undefined): Pick<Entry, 'value' | 'example'> {
  if (healthPath === undefined) return { example: [{ http: '/' }] };
  return { value: [{ http: healthPath }] };
}

function strategyEntries(strategy: TemplateAnswers['strategy']): readonly Entry[] {
  const at = (name: string, value?: unknown): Entry => ({ path: ['strategy', strategy, name], value });
  switch (strategy) {
    case 'canary':
      return [
        at('stages', ['1%', '10%', '50%', '100%']),
        at('hold', { atLeast: '60s', requests: 100 }),
        at('promotion'),
        { path: ['strategy', strategy, 'sticky'], example: {} },
      ];
    case 'rolling':
      return [at('maxSurge', 1), at('maxUnavailable'), at('observe')];
    case 'blue-green':
      return [at('keepOld', '10m'), at('observe'), at('promotion')];
  }
}

function parentLines(schema: SettingSchema, path: readonly string[], all: readonly Entry[]): readonly string[] {
  const used = all.some((entry) => entry.value !== undefined && startsWith(entry.path, path));
  return [...comment(schema, path), `${indent(path)}${used ? '' : '#'}${path.at(-1)}:`];
}

function settingLines(schema: SettingSchema, { path, value, example }: Entry): readonly string[] {
  const shown = value ?? example ?? settingAt(schema, path)?.default;
  const setting = `${indent(path)}${value === undefined ? '#' : ''}${path.at(-1)}: ${yamlText(shown)}`;
  return [...comment(schema, path), setting];
}

/** One line of YAML. */
function yamlText(value: unknown): string {
  return stringify(value, {
    collectionStyle: 'flow',
    flowCollectionPadding: true,
    lineWidth: 0,
    blockQuote: false,
  }).trim();
}

function comment(schema: SettingSchema, path: readonly string[]): readonly string[] {
  const text = settingAt(schema, path)?.description;
  return text === undefined ? [] : wrapped(text.replaceAll('`', ''), `${indent(path)}# `);
}

function wrapped(text: string, prefix: string): readonly string[] {
  const lines: string[] = [];
  let line = prefix;
  for (const word of text.split(' ')) {
    if (line !== prefix && line.length + word.length >= lineWidth) {
      lines.push(line.trimEnd());
      line = prefix;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}

function indent(path: readonly string[]): string {
  return '  '.repeat(path.length - 1);
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((name, index) => path[index] === name);
}
