// What is left of a service once its controller has nothing more to do, looked at from outside.

import { setTimeout as sleep } from 'node:timers/promises';

import { placesUnder } from '../../../src/places.ts';
import type { RouterSpec } from '../../../src/core/plan/spec.ts';
import type { Rollout } from '../../../src/core/rollout/rollout.ts';
import type { Placement, Removal } from '../../../src/core/rollout/situation.ts';
import { isFinal } from '../../../src/core/rollout/status.ts';
import { isCooling } from './cooling.ts';
import { allTraffic, type Routes } from '../../../src/core/routes.ts';
import { systemClock } from '../../../src/drivers/clock/system-clock.ts';
import { createEmbeddedRouter } from '../../../src/drivers/router/embedded/driver.ts';
import { createHaproxyRouter } from '../../../src/drivers/router/haproxy/driver.ts';
import { createNginxRouter } from '../../../src/drivers/router/nginx/driver.ts';
import type { Router } from '../../../src/ports/router.ts';
import { proxiesOf } from './housing.ts';
import type { Place } from './place.ts';
import { ask } from './visitors.ts';

const patienceMs = 60_000;

/** Resolves with the newest deployment when it has ended and nothing of it is left but what should be; rejects with what is wrong. */
export async function aftermath(place: Place): Promise<Rollout | undefined> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const wrong = await problemWith(place);
    const [newest] = await place.store.rollouts({ scope: place.scope, limit: 1 });
    if (wrong === undefined) return newest;
    if (performance.now() > giveUpAt) throw new Error(`${wrong} (${newest?.id}, ${newest?.status})`);
    await sleep(40);
  }
}

/** What should run: stable with its instances, and a release that is kept warm for long. */
interface Wanted {
  readonly release: string;
  readonly version: string;
  readonly instances: number;
}

/** The first thing that is not as it should be; undefined: all is well. */
async function problemWith(place: Place): Promise<string | undefined> {
  const [state] = await place.store.scopes(place.scope);
  if (state === undefined) return 'the store does not know the service';
  const { situation, active, outbox, lease } = state;
  if (active !== undefined && !isFinal(active.status)) return `deployment ${active.id} is ${active.status}`;
  if (outbox.length > 0) return `effects are left: ${outbox.map((effect) => effect.id).join(', ')}`;
  if (lease !== undefined && lives(lease.holder.pid)) return `the lock is held by process ${lease.holder.pid}`;
  if (isCooling(situation)) return `${situation.warm?.placement.release.id} is still warm`;
  const stable = wantedOf(situation.stable);
  const warm = wantedOf(situation.warm?.placement);
  const running = await problemWithInstances(place, stable, warm);
  if (running !== undefined) return running;
  if (situation.removal !== undefined) return problemWithRest(place, situation.removal);
  const proxies = problemWithProxies(place, situation.stable);
  if (proxies !== undefined || stable === undefined) return proxies;
  return problemWithTraffic(place, stable, warm);
}

/** A lease whose holder is dead locks nobody out: the next deployment takes it. */
function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function wantedOf(placement: Placement | undefined): Wanted | undefined {
  if (placement === undefined) return undefined;
  return { release: placement.release.id, version: placement.release.label ?? '', instances: placement.instances };
}

async function problemWithInstances(
  place: Place,
  stable: Wanted | undefined,
  warm: Wanted | undefined,
): Promise<string | undefined> {
  const found = await place.housing.releases();
  let right = 0;
  for (const wanted of [stable, warm]) {
    if (wanted === undefined) continue;
    const count = found.filter((release) => release === wanted.release).length;
    right += count;
    if (count !== wanted.instances) return `${count} instances of ${wanted.version} run instead of ${wanted.instances}`;
  }
  return found.length > right ? `${found.length - right} orphans run` : undefined;
}

/** One where it is the router; a deployment that never came about may leave it. */
function problemWithProxies(place: Place, stable: Placement | undefined): string | undefined {
  const count = proxiesOf(place.home).length;
  const wanted = stable?.spec.router.driver === 'embedded' ? 1 : 0;
  const fits = count === wanted || (count === 1 && stable === undefined);
  return fits ? undefined : `${count} proxies run`;
}

/** Of what was taken away nothing listens any more. */
async function problemWithRest(place: Place, { spec, finished }: Removal): Promise<string | undefined> {
  if (!finished) return 'the removal is not through';
  const count = proxiesOf(place.home).length;
  if (count > 0) return `${count} proxies run`;
  if ((await routerOf(spec.router, place).read(place.scope)) !== undefined) return 'the router has routes';
  const answer = await ask(place.port).catch(() => undefined);
  return answer === undefined ? undefined : `${answer} answers`;
}

async function problemWithTraffic(place: Place, stable: Wanted, warm: Wanted | undefined): Promise<string | undefined> {
  const routes = await routesOf(place);
  const wrong = routes === undefined ? 'the router has no routes' : problemWithRoutes(routes, stable, warm);
  if (wrong !== undefined) return wrong;
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask(place.port)));
  const others = answers.filter((answer) => answer !== stable.version);
  return others.length === 0
    ? undefined
    : `${others.length} of 10 answers come from ${others[0]}, not ${stable.version}`;
}

/** As the router itself says. */
async function routesOf(place: Place): Promise<Routes | undefined> {
  const [state] = await place.store.scopes(place.scope);
  const spec = state?.situation.stable?.spec.router;
  return spec === undefined ? undefined : routerOf(spec, place).read(place.scope);
}

function routerOf(spec: RouterSpec, place: Place): Pick<Router, 'read'> {
  const clock = systemClock;
  switch (spec.driver) {
    case 'embedded':
      return createEmbeddedRouter({ stateDirectory: placesUnder(place.home).proxies, spec, clock });
    case 'nginx':
      return createNginxRouter({ spec, clock });
    case 'haproxy':
      return createHaproxyRouter({ spec, clock });
    case 'memory':
      throw new Error('the service has no router');
  }
}

function problemWithRoutes(routes: Routes, stable: Wanted, warm: Wanted | undefined): string | undefined {
  const found = routes.groups
    .filter((group) => group.share > 0 || group.endpoints.length > 0)
    .map(({ release, share, endpoints }) => `${release} ${share} ${endpoints.length}`);
  const wanted = [`${stable.release} ${allTraffic} ${stable.instances}`];
  if (warm !== undefined) wanted.push(`${warm.release} 0 ${warm.instances}`);
  if (found.toSorted().join() !== wanted.toSorted().join())
    return `routes lead to ${found.join()}, not ${wanted.join()}`;
  return routes.rules.length > 0 || routes.preview !== undefined ? 'rules or a preview are left' : undefined;
}
