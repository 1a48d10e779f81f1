// The include of one scope as text: a pure function of its model, the settings and the place of its tables.

import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import { type Scope, scopeName } from '../../../core/scope.ts';
import type { Model } from './model.ts';
import { prefixOf } from './names.ts';
import { maps } from './render-maps.ts';
import { servers } from './render-servers.ts';
import { upstreams } from './render-upstreams.ts';

export interface RenderInput {
  readonly scope: Scope;
  readonly spec: NginxRouterSpec;
  readonly model: Model;
  /** Where NGINX sees the folder of tables. */
  readonly directory: string;
}

/** What the parts share. */
export interface Part extends RenderInput {
  /** Before all names. */
  readonly prefix: string;
}

const modelMark = '# sluice model ';
/** NGINX takes no line of more than 4,096 bytes, and a character has up to four. */
const modelLine = /.{1,1000}/gsu;

export function render(input: RenderInput): string {
  const part: Part = { ...input, prefix: prefixOf(input.scope) };
  return [
    `# Written by Sluice for ${scopeName(input.scope)}; what is changed here is overwritten.`,
    '# Which release a request goes to is looked up in a folder of links below, so that no change of it needs a reload.',
    ...(JSON.stringify(input.model).match(modelLine) ?? []).map((line) => `${modelMark}${line}`),
    '',
    ...maps(part),
    ...upstreams(part),
    ...servers(part),
  ].join('\n');
}

/** What stands in the place of an include when its service was taken away: NGINX may be told to read that file by its name. */
export function awayNote(scope: Scope): string {
  return `# Sluice took ${scopeName(scope)} away: nothing is served from this file, and it may be deleted.\n`;
}

/** Nothing but the note: whoever writes more into the file has made it his own. */
export function isAwayNote(text: string): boolean {
  return /^# Sluice took \S+ away: nothing is served from this file, and it may be deleted\.\s*$/.test(text);
}

/** The model as it stands in a rendered include, put together from its lines; undefined where the text is none. */
export function modelText(include: string): string | undefined {
  const lines = include.split('\n').filter((line) => line.startsWith(modelMark));
  return lines.length === 0 ? undefined : lines.map((line) => line.slice(modelMark.length)).join('');
}
