// Which instance has, or had, which address: by it lines of the log and connections are told apart.

import * as z from 'zod';

import type { Address } from '../../../core/instance.ts';
import type { Sample } from '../../../core/gate/sample.ts';
import type { Routes } from '../../../core/routes.ts';
import type { FeedLine } from '../log-feed/line.ts';
import { type Model, slotOf } from './model.ts';
import { serverName, serversOf } from './names.ts';

/** What is needed of routes that lie on the disk. */
const endpointsSchema = z.object({
  groups: z.array(
    z.object({
      release: z.string(),
      endpoints: z.array(z.object({ instance: z.string(), address: z.object({ host: z.string(), port: z.number() }) })),
    }),
  ),
});

type Whose = Pick<Sample, 'release' | 'instance'>;

/** Instances and addresses that are remembered. */
const most = 10_000;

export class Instances {
  readonly #byServer = new Map<string, Whose>();
  readonly #addresses = new Map<string, Address>();
  #bySlot = new Map<string, Whose>();

  /** Requests in flight may outlast the routes that sent them, so what was known stays known. */
  learn({ groups }: Readonly<z.output<typeof endpointsSchema>> | Routes): void {
    for (const { release, endpoints } of groups) {
      for (const { instance, address } of endpoints) {
        remember(this.#byServer, serverName(address), { release, instance });
        remember(this.#addresses, instance, address);
      }
    }
  }

  forget(): void {
    this.#byServer.clear();
    this.#addresses.clear();
    this.#bySlot.clear();
  }

  /** What stands in a table on the disk; what is damaged teaches nothing. */
  learnText(text: string): void {
    try {
      const found = endpointsSchema.safeParse(JSON.parse(text));
      if (found.success) this.learn(found.data);
    } catch {
      // Told of by whoever needs these routes.
    }
  }

  /** The sets that are in use now; for requests that none of their servers had. */
  place(routes: Routes, model: Model): void {
    this.#bySlot = new Map();
    for (const { release, endpoints } of routes.groups) {
      const slot = slotOf(model.slots, serversOf(endpoints));
      const [first] = endpoints;
      if (slot !== undefined && first !== undefined)
        this.#bySlot.set(String(slot.id), { release, instance: first.instance });
    }
  }

  whose({ place, server }: FeedLine): Whose | undefined {
    if (place === undefined) return undefined;
    return (server === undefined ? undefined : this.#byServer.get(server)) ?? this.#bySlot.get(place);
  }

  address(instance: string): Address | undefined {
    return this.#addresses.get(instance);
  }
}

/** As the newest; forgets the oldest when there are too many. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
