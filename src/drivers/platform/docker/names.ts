// The names and labels of Sluice's containers. Labels say what never changes, the name says the rest: it is all that can change.

import type { ComposeName } from '../../../core/container.ts';
import type { ReleaseId } from '../../../core/release.ts';
import type { Scope } from '../../../core/scope.ts';

export const label = {
  service: 'sluice.service',
  environment: 'sluice.environment',
  release: 'sluice.release',
  deployment: 'sluice.deployment',
  /** The id of the instance. */
  instance: 'sluice.instance',
  /** Whose it is, where several controllers with stores of their own share an engine. */
  owner: 'sluice.owner',
  /** Its place among the copies of its release, from 1. */
  number: 'sluice.number',
  /** The port at which routers reach it, and the one inside. */
  port: 'sluice.port',
  inside: 'sluice.inside',
  /** The service that it is in a Compose file, as `composeName` writes it. */
  compose: 'sluice.compose',
} as const;

/** The labels of what Compose made. */
export const composeLabel = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  number: 'com.docker.compose.container-number',
  version: 'com.docker.compose.version',
  /** `True` where it was made by `docker compose run`, which is not the service. */
  once: 'com.docker.compose.oneoff',
} as const;

/** Neither name has a slash in it. */
export function composeName({ project, service }: ComposeName): string {
  return `${project}/${service}`;
}

/** What can change of a container while it is there. */
export interface NameFacts {
  readonly restarts: number;
  /** The deployment that took it over; undefined: the one in its label. */
  readonly deployment?: string | undefined;
  /** Compose made it, and Sluice took it as it was, without these labels: the port inside. */
  readonly adopted?: number | undefined;
  /** Sluice asked it to end; from then on it is kept for its output only. */
  readonly ended: boolean;
}

/** What the name says that was never changed. */
export interface SlotFacts {
  readonly release: ReleaseId;
  readonly number: number;
}

/** The containers that belong together: those of one scope, made by controllers with one store. */
export interface Realm {
  readonly scope: Scope;
  /** Letters and digits. */
  readonly owner: string;
}

const slotParts = 5;

/**
 * `shop.production.3f9c2a1b7d04.1.k3v9qp`: two controllers that make the same copy meet at its name, and only one of them gets it.
 * No part of it has a dot in it.
 */
export function slotName({ scope, owner }: Realm, release: ReleaseId, number: number): string {
  return `${scope.service}.${scope.environment}.${digits(release)}.${number}.${owner}`;
}

/** The name of a container that is no longer as it was made: its slot, then what became of it. */
export function changedName(slot: string, facts: NameFacts, unique: string): string {
  const parts = [slot];
  if (facts.restarts > 0) parts.push(`again-${facts.restarts}`);
  if (facts.deployment !== undefined) parts.push(`for-${facts.deployment}`);
  if (facts.adopted !== undefined) parts.push(`adopted-${facts.adopted}`);
  if (facts.ended) parts.push(`ended-${unique}`);
  return parts.join('.');
}

/** Reads what `changedName` wrote; `name` as the engine gives it, with or without its slash. */
export function nameFacts(name: string): NameFacts {
  let facts: NameFacts = { restarts: 0, ended: false };
  for (const part of name.split('.').slice(slotParts)) {
    const dash = part.indexOf('-');
    const [word, value] = [part.slice(0, dash), part.slice(dash + 1)];
    if (word === 'again' && /^\d{1,9}$/.test(value)) facts = { ...facts, restarts: Number(value) };
    if (word === 'for') facts = { ...facts, deployment: value };
    if (word === 'adopted' && /^\d{1,5}$/.test(value)) facts = { ...facts, adopted: Number(value) };
    if (word === 'ended') facts = { ...facts, ended: true };
  }
  return facts;
}

/** Undefined: not the name of a container of this realm. */
export function slotFacts({ scope, owner }: Realm, name: string): SlotFacts | undefined {
  const [service, environment, itsDigits = '', number = '', itsOwner] = bare(name).split('.');
  if (service !== scope.service || environment !== scope.environment || itsOwner !== owner) return undefined;
  if (!/^[0-9a-f]{12}$/.test(itsDigits) || !/^[1-9]\d{0,5}$/.test(number)) return undefined;
  return { release: `${service}@${itsDigits}`, number: Number(number) };
}

/** The part of a name that it was born with. */
export function slotOf(name: string): string {
  return bare(name).split('.').slice(0, slotParts).join('.');
}

/** By which the engine finds all containers of a realm: a regular expression. */
export function namesOf({ scope, owner }: Realm): string {
  return `^/?${scope.service}\\.${scope.environment}\\.[0-9a-f]{12}\\.[0-9]+\\.${owner}(\\.|$)`;
}

export function instanceId(release: ReleaseId, number: number, unique: string): string {
  return `${release.replace('@', '-')}-${number}-${unique}`;
}

/** The engine puts a slash before names. */
function bare(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name;
}

function digits(release: ReleaseId): string {
  return release.slice(release.lastIndexOf('@') + 1);
}
