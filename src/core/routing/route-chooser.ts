// Chooses the release of each request: preview address, then rules, then the visitor's cookie, then the shares.

import type { Sample } from '../gate/sample.ts';
import type { ReleaseId } from '../release.ts';
import type { RouteGroup, RouteMatch, Routes } from '../routes.ts';
import { cookieValue } from './cookies.ts';
import { startTurns, takeTurn, type Turns } from './weighted-turns.ts';

/** What the choice may look at; read only when the routes need it. */
export interface RequestFacts {
  /** The values of a header, by its lower-case name. */
  headerValues(name: string): readonly string[];
  /** The Cookie header. */
  readonly cookies: string | undefined;
}

export interface Choice {
  readonly group: RouteGroup;
  readonly via: Sample['via'];
  /** The value of the cookie that the answer has to set so that the visitor stays; undefined: none. */
  readonly keep: string | undefined;
}

/** Makes the cookie value that stands for a release; must differ between releases. */
export type ReleaseToken = (release: ReleaseId) => string;

/**
 * Holds whose turn it is, so it changes with every choice. One chooser serves one `Routes`; give the former chooser when routes
 * change, so that shares that stay the same go on exactly where they were.
 */
export class RouteChooser {
  readonly routes: Routes;
  /** Groups that have instances; the others get nothing, and their share falls to these. */
  readonly #groups: readonly RouteGroup[];
  readonly #turns: Turns;
  readonly #shared: readonly Choice[];
  readonly #keepers = new Map<string, Choice>();

  constructor(routes: Routes, token: ReleaseToken, former?: RouteChooser) {
    this.routes = routes;
    this.#groups = routes.groups.filter((group) => group.endpoints.length > 0);
    const continued = former !== undefined && sameShares(former.#groups, this.#groups);
    this.#turns = continued ? former.#turns : startTurns(this.#groups.map((group) => group.share));
    this.#shared = this.#groups.map((group) => ({
      group,
      via: 'share',
      keep: routes.sticky === undefined ? undefined : token(group.release),
    }));
    for (const group of this.#groups) {
      if (group.share > 0) this.#keepers.set(token(group.release), { group, via: 'sticky', keep: undefined });
    }
  }

  /** Undefined when no release with instances may have the request. */
  choose(facts: RequestFacts): Choice | undefined {
    if (this.routes.rules.length > 0) {
      const ruled = this.#byRule(facts);
      if (ruled !== undefined) return ruled;
    }
    if (this.routes.sticky !== undefined) {
      const value = cookieValue(facts.cookies, this.routes.sticky.cookie);
      const kept = value === undefined ? undefined : this.#keepers.get(value);
      if (kept !== undefined) return kept;
    }
    return this.#shared[takeTurn(this.#turns)];
  }

  /** The choice for a request to the preview address. */
  choosePreview(): Choice | undefined {
    return this.#choiceOf(this.routes.preview, 'preview');
  }

  /** A rule whose release has no instances is passed over: a visitor is never refused because of a rule. */
  #byRule(facts: RequestFacts): Choice | undefined {
    for (const rule of this.routes.rules) {
      if (!matches(rule.match, facts)) continue;
      const choice = this.#choiceOf(rule.release, 'rule');
      if (choice !== undefined) return choice;
    }
    return undefined;
  }

  #choiceOf(release: ReleaseId | undefined, via: Sample['via']): Choice | undefined {
    const group = this.#groups.find((candidate) => candidate.release === release);
    return group === undefined ? undefined : { group, via, keep: undefined };
  }
}

function matches(match: RouteMatch, facts: RequestFacts): boolean {
  if ('header' in match) return facts.headerValues(match.header).includes(match.equals);
  return cookieValue(facts.cookies, match.cookie) === match.equals;
}

function sameShares(before: readonly RouteGroup[], after: readonly RouteGroup[]): boolean {
  return (
    before.length === after.length &&
    before.every((group, index) => group.release === after[index]?.release && group.share === after[index]?.share)
  );
}
