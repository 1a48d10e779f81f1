// The table that NGINX looks each request up in: a folder of symlinks, as a pure value. See the readme for its form.

import { canonicalJson } from '../../../base/canonical-json.ts';
import type { ReleaseId } from '../../../core/release.ts';
import { allTraffic, type RouteGroup, type Routes } from '../../../core/routes.ts';
import { type Model, placesOf, slotOf } from './model.ts';
import { digest, releaseToken, serversOf } from './names.ts';

export interface Table {
  /** `<revision>-<digest>`. */
  readonly name: string;
  /** Names of destinations, which lie beside the tables and are shared by them. */
  readonly destinations: readonly string[];
  /** Relative to the table; parents first. */
  readonly directories: readonly string[];
  /** Path within the table to the link's target, relative to where the link is. */
  readonly links: readonly (readonly [string, string])[];
}

/** Shares are spread over 10,000 buckets, found by one digit per level. */
const levels = 4;
/** A destination leads back to itself by each, so that it stands for all the buckets below a link to it. */
export const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** Where nobody is. */
const nobody = '0-none';

export function tableOf(routes: Routes, model: Model, generation: number): Table {
  const maker = new TableMaker(routes, model);
  maker.make();
  const { directories, links } = maker;
  const destinations = [...maker.destinations];
  const text = canonicalJson({ generation, routes: JSON.parse(JSON.stringify(routes)), links });
  return { name: `${routes.revision}-${digest(text, 12)}`, destinations, directories, links };
}

/** The revision in a table's name; undefined where it is none. */
export function revisionOf(name: string): number | undefined {
  const found = /^(\d{1,15})-[0-9a-f]{12}$/.exec(name);
  return found === null ? undefined : Number(found[1]);
}

class TableMaker {
  readonly destinations = new Set<string>();
  readonly directories: string[] = [];
  readonly links: (readonly [string, string])[] = [];
  readonly #routes: Routes;
  readonly #model: Model;

  constructor(routes: Routes, model: Model) {
    this.#routes = routes;
    this.#model = model;
  }

  make(): void {
    const { groups } = this.#routes;
    const served = groups.filter(({ endpoints }) => endpoints.length > 0);
    this.#shares(served);
    // Also when visitors are no longer kept: a request may have been on its way there when the table was exchanged.
    if (this.#model.sticky !== undefined) this.#visitors(groups);
    if (this.#model.rules.length > 0) this.#rules(served);
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
    const [only] = ends;
    if (ends.length === 1 && only !== undefined) this.links.push(['share', only.to]);
    else {
      this.directories.push('share');
      this.#level('share', 0, allTraffic, ends);
    }
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

  #visitors(groups: readonly RouteGroup[]): void {
    this.directories.push('keep', 'keep-on');
    for (const group of groups) this.#keep(group);
  }

  /** Visitors of a release without a share, or without instances, are spread like others. */
  #keep(group: RouteGroup): void {
    const token = releaseToken(this.#routes.scope, group.release);
    const on = this.#routes.sticky !== undefined && group.share > 0 && group.endpoints.length > 0;
    this.links.push([`keep/${token}`, on ? `../${this.#to(group, false)}` : '../share']);
    if (on) this.directories.push(`keep-on/${token}`);
  }

  /** A rule that is not in force, or whose release has no instances, is passed over. */
  #rules(served: readonly RouteGroup[]): void {
    const { rules } = this.#routes;
    this.directories.push('rule', 'rule-on');
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

  /** `<slot>-<token of the release>`, with `-keep` where the visitor gets a cookie; as a path relative to the table. */
  #to(group: RouteGroup | undefined, keep: boolean): string {
    if (group === undefined) return this.#destination(nobody);
    const slot = slotOf(this.#model.slots, serversOf(group.endpoints));
    if (slot === undefined) throw new Error(`no slot for the instances of ${group.release}`);
    return this.#destination(`${slot.id}-${this.#token(group.release)}${keep ? '-keep' : ''}`);
  }

  #destination(name: string): string {
    this.destinations.add(name);
    return `../../to/${name}`;
  }

  #token(release: ReleaseId): string {
    return releaseToken(this.#routes.scope, release);
  }
}

/** How many digits NGINX looks up. */
export const tableLevels = levels;
