// The containers of a scope as the engine has them now, and what they are for Sluice.

import type { Address, Instance } from '../../../core/instance.ts';
import type { ReleaseId } from '../../../core/release.ts';
import { addressOn, adoptedAddress, publishedAddress } from './own-address.ts';
import type { Container } from './answers.ts';
import type { EngineApi } from './engine-api.ts';
import { instanceId, label, nameFacts, type NameFacts, namesOf, type Realm, slotFacts, slotOf } from './names.ts';

export interface Member extends NameFacts {
  /** The engine's id. */
  readonly id: string;
  readonly slot: string;
  readonly instance: string;
  readonly release: ReleaseId;
  readonly deployment: string;
  readonly number: number;
  readonly address: Address;
  readonly state: 'born' | 'running' | 'exited';
  readonly container: Container;
}

/** Ended ones included. */
export async function membersOf(api: EngineApi, realm: Realm): Promise<readonly Member[]> {
  const listed = await api.containers({ name: [namesOf(realm)] });
  // One that vanished between the two questions is not there.
  const inspected = await Promise.all(listed.map(({ Id }) => api.container(Id)));
  const machine = await api.machine();
  return inspected
    .filter((container) => container !== undefined)
    .map((container) => memberOf(realm, container, machine))
    .filter((member) => member !== undefined)
    .sort((a, b) => a.number - b.number || (a.container.Created < b.container.Created ? -1 : 1));
}

/** Undefined: somebody else's container with a name like ours. */
function memberOf(realm: Realm, container: Container, machine: string): Member | undefined {
  const slot = slotFacts(realm, container.Name);
  if (slot === undefined) return undefined;
  const facts = nameFacts(container.Name);
  const labels = container.Config.Labels;
  // A name can be given by anybody; the label only by who made it.
  if (facts.adopted === undefined && labels[label.owner] !== realm.owner) return undefined;
  return {
    ...facts,
    id: container.Id,
    address: placeOf(container, facts.adopted, machine),
    slot: slotOf(container.Name),
    instance: labels[label.instance] ?? instanceId(slot.release, slot.number, container.Id.slice(0, 6)),
    release: labels[label.release] ?? slot.release,
    deployment: facts.deployment ?? labels[label.deployment] ?? '',
    number: slot.number,
    state: stateOf(container),
    container,
  };
}

/** A container that Compose made is reached where Compose put it; others where they are published, or else on the network of their birth. */
function placeOf(container: Container, adopted: number | undefined, machine: string): Address {
  const own = adopted === undefined ? undefined : adoptedAddress(container, adopted, machine);
  if (own !== undefined) return own;
  const { HostConfig, Config } = container;
  const inside = Number(Config.Labels[label.inside] ?? adopted);
  const [published] = HostConfig.PortBindings?.[`${inside}/tcp`] ?? [];
  if (published !== undefined) return publishedAddress(published, machine);
  return { host: addressOn(container, HostConfig.NetworkMode), port: inside };
}

function stateOf({ State }: Container): Member['state'] {
  if (State.Status === 'created') return 'born';
  return State.Status === 'running' || State.Status === 'paused' ? 'running' : 'exited';
}

/** Undefined for one that Sluice ended: it is there for its output only. */
export function instanceOf(member: Member): Instance | undefined {
  if (member.ended && member.state !== 'running') return undefined;
  const { State } = member.container;
  const { instance: id, release, deployment, restarts, address } = member;
  const started = Date.parse(State.StartedAt);
  const instance = {
    id,
    release,
    deployment,
    address,
    startedAt: started > 0 ? started : Date.parse(member.container.Created),
    restarts,
  };
  if (member.state === 'running') return { ...instance, state: 'running', ...ownHealth(member.container) };
  return { ...instance, state: 'exited', exit: member.state === 'born' ? 'not started yet' : exitOf(member.container) };
}

const longestOutput = 200;

function ownHealth({ State }: Container): Pick<Instance, 'ownHealth'> {
  const status = State.Health?.Status;
  if (status !== 'starting' && status !== 'unhealthy' && status !== 'healthy') return {};
  const output = State.Health?.Log?.at(-1)?.Output.trim().slice(0, longestOutput) ?? '';
  return { ownHealth: { state: status, words: output } };
}

/** Numbers that say nothing by themselves get a word. */
function exitOf({ State }: Container): string {
  const words = [`exit code ${State.ExitCode}`];
  if (State.OOMKilled === true) words.push('it needed more memory than it may have');
  if (State.Error !== undefined && State.Error !== '') words.push(State.Error.slice(0, longestOutput));
  return words.join(', ');
}
