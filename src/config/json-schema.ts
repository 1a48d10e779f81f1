// The configuration's schema in the form that editors, the reference page and the template read.

import * as z from 'zod';
import { configSchema } from './schema/config.ts';

/** The part of JSON Schema (2020-12) that the configuration's schema consists of. */
export interface SettingSchema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: SettingSchema;
  readonly additionalProperties?: boolean | SettingSchema;
  readonly items?: SettingSchema;
  readonly anyOf?: readonly SettingSchema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SettingSchema>>;
}

/** What a person may write, as JSON Schema; defaults are in the notation of the file. */
export function configJsonSchema(): SettingSchema {
  const generated = z.toJSONSchema(configSchema, { io: 'input' }) as SettingSchema;
  return { title: 'Configuration of Sluice', ...generated };
}

/** The name of the definition that a schema refers to. */
export function definitionName(schema: SettingSchema): string | undefined {
  return schema.$ref?.replace('#/$defs/', '');
}

/** The setting at a path such as `['health', 'interval']`, following references and alternatives; undefined where there is none. */
export function settingAt(root: SettingSchema, path: readonly string[]): SettingSchema | undefined {
  let found: SettingSchema | undefined = root;
  for (const name of path) found = found === undefined ? undefined : child(root, found, name);
  return found;
}

function child(root: SettingSchema, parent: SettingSchema, name: string): SettingSchema | undefined {
  for (const schema of [parent, ...(parent.anyOf ?? [])]) {
    const definition = root.$defs?.[definitionName(schema) ?? ''];
    const own = (definition ?? schema).properties?.[name];
    if (own !== undefined) return own;
    if (definition?.anyOf !== undefined) return child(root, definition, name);
  }
  return undefined;
}
