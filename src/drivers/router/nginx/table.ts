// The table that NGINX looks each request up in: a folder of symlinks, as a pure value. See the readme for its form.

import { canonicalJson } from '../../../base/canonical-json.ts';
import type { ReleaseId } from '../../../core/release.ts';
import { allTraffic, type RouteGroup, type Routes } from '../../../core/routes.ts';
import { type Model, placesOf, slotOf } from './model.ts';
import { digest, releaseToken, serversOf } from './names.ts';

export interface Table {
  /** `<revision>-<digest>`. */
  readonly name: string;
  /** Relative to the table; parents first. */
  readonly directories: readonly string[];
  /** Path within the table to the link's target, relative to where the link is. */
  readonly links: readonly (readonly [string, string])[];
}

/** Shares are spread over 10,000 buckets, found by one digit per level. */
const levels = 4;
const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** Where nobody is. */
const nobody = '0-none';

export function tableOf(routes: Routes, model: Model, generation: number): Table {
  const maker = new TableMaker(routes, model);
  maker.make();
  const { directories, links } = maker;
  const text = canonicalJson({ generation, routes: JSON.parse(JSON.stringify(routes)), links });
  return { name: `${routes.revision}-${digest(text, 12)}`, directories, links };
}

/** The revision in a table's name; undefined where it is none. */
export function revisionOf(name: string): number | undefined {
  const found = /^(\d{1,15})-[0-9a-f]{12}$/.exec(name);
  return found === null ? undefined : Number(found[1]);
}

class TableMaker {
  readonly directories: string[] = ['to', 'share', 'keep', 'keep-on', 'rule', 'rule-on'];
  readonly links: (readonly [string, string])[] = [];
  readonly #routes: Routes;
  readonly #model: Model;
  readonly #made = new Set<string>();

  constructor(routes: Routes, model: Model) {
    this.#routes = routes;
    this.#model = model;
  }

  make(): void {
    const { groups, sticky } = this.#routes;
    this.#destination(nobody);
    const served = groups.filter(({ endpoints }) => endpoints.length > 0);
    this.#shares(served);
    for (const group of groups) this.#keep(group, sticky !== undefined);
    this.#rules(served);
    const preview = served.find(({ release }) => release === this.#routes.preview);
    this.links.push(['preview', this.#to(preview, false)]);
  }

  /** The release whose share grows has the first buckets, so that who came to it once comes to it again. */
  #shares(served: readonly RouteGroup[]): void {
    const ends: { readonly end: number; readonly to: string }[] = [];
    let end = 0;
    const sum = served.reduce((total, { share }) => total + share, 0);
    for (const group of [...served].reverse()) {
      if (group.share === 0) continue;
      end += group.share;
      ends.push({ end: Math.round((end * allTraffic) / sum), to: this.#to(group, this.#routes.sticky !== undefined) });
    }
    if (ends.length === 0) ends.push({ end: allTraffic, to: this.#to(undefined, false) });
    this.#level('share', 0, allTraffic, ends);
  }

  /** One link per digit where all its buckets go to one place, else a folder with the next digit. */
  #level(
    folder: string,
    from: number,
    width: number,
    ends: readonly { readonly end: number; readonly to: string }[],
  ): void {
    const step = width / digits.length;
    for (const [index, digit] of digits.entries()) {
      const [first, last] = [from + index * step, from + (index + 1) * step];
      const whose = ends.find(({ end }) => first < end);
      const path = `${folder}/${digit}`;
      if (whose === undefined) throw new Error(`no release has bucket ${first}`);
      if (whose.end >= last) this.links.push([path, `${'../'.repeat(path.split('/').length - 1)}${whose.to}`]);
      else {
        this.directories.push(path);
        this.#level(path, first, step, ends);
      }
    }
  }

  /** Visitors of a release without a share, or without instances, are spread like others. */
  #keep(group: RouteGroup, sticky: boolean): void {
    const token = releaseToken(this.#routes.scope, group.release);
    const on = sticky && group.share > 0 && group.endpoints.length > 0;
    this.links.push([`keep/${token}`, on ? `../${this.#to(group, false)}` : '../share']);
    if (on) this.directories.push(`keep-on/${token}`);
  }

  /** A rule that is not in force, or whose release has no instances, is passed over. */
  #rules(served: readonly RouteGroup[]): void {
    const { rules } = this.#routes;
    const inForce = new Map<number, RouteGroup>();
    for (const [index, place] of placesOf(this.#model.rules, rules).entries()) {
      const group = served.find(({ release }) => release === rules[index]?.release);
      if (group !== undefined) inForce.set(place, group);
    }
    for (const place of this.#model.rules.keys()) {
      const group = inForce.get(place);
      this.links.push([`rule/${place}`, group === undefined ? '../share' : `../${this.#to(group, false)}`]);
      if (group !== undefined) this.directories.push(`rule-on/${place}`);
    }
  }

  /** `to/<slot>-<token of the release>`, with `-keep` where the visitor gets a cookie; relative to the table. */
  #to(group: RouteGroup | undefined, keep: boolean): string {
    if (group === undefined) return `to/${nobody}`;
    const slot = slotOf(this.#model.slots, serversOf(group.endpoints));
    if (slot === undefined) throw new Error(`no slot for the instances of ${group.release}`);
    const name = `${slot.id}-${this.#token(group.release)}${keep ? '-keep' : ''}`;
    this.#destination(name);
    return `to/${name}`;
  }

  /** A folder that leads back to itself by every digit, so that it stands for all the buckets below a link to it. */
  #destination(name: string): void {
    if (this.#made.has(name)) return;
    this.#made.add(name);
    this.directories.push(`to/${name}`);
    for (const digit of digits) this.links.push([`to/${name}/${digit}`, '.']);
  }

  #token(release: ReleaseId): string {
    return releaseToken(this.#routes.scope, release);
  }
}

/** How many digits NGINX looks up. */
export const tableLevels = levels;
