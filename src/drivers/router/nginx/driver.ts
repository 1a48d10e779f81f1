// NGINX as a router: Sluice owns one include per scope, and moves traffic by renaming one link.

import { randomBytes, randomInt } from 'node:crypto';

import { canonicalJson } from '../../../base/canonical-json.ts';
import { Failure } from '../../../base/failure.ts';
import { type Log, silentLog } from '../../../base/log.ts';
import type { SampleBatch } from '../../../core/gate/sample.ts';
import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import type { Routes } from '../../../core/routes.ts';
import { sameScope, type Scope, scopeName } from '../../../core/scope.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Router, RouterCapabilities } from '../../../ports/router.ts';
import { type Answer, askGeneration } from './ask.ts';
import { askEveryMs, bothServeMs, changeInclude, type ChangeTools, elsewhere, reloadTo } from './change.ts';
import { checkNginx } from './check.ts';
import { ownTables, tableFiles } from './connections.ts';
import { drainConnections } from './drain.ts';
import { Facts } from './facts.ts';
import { NginxFeed } from './feed.ts';
import { freeFeedPort, isFreeForFeed } from './feed-port.ts';
import { Files, type OnDisk } from './files.ts';
import { withIncludeLock } from './include-lock.ts';
import { Instances } from './instances.ts';
import { fitModel, type Model } from './model.ts';
import { directoryInside } from './places.ts';
import { Program } from './program.ts';
import { render } from './render.ts';
import { parseRoutes } from './stored-routes.ts';
import { revisionOf, type Table, tableOf } from './table.ts';
import { takeAway } from './take-away.ts';

export interface NginxRouterOptions {
  readonly spec: NginxRouterSpec;
  readonly clock: Clock;
  readonly log?: Log | undefined;
}

const capabilities: Omit<RouterCapabilities, 'preview'> = {
  feed: true,
  sticky: true,
  rules: { header: true, cookie: true },
  cuts: false,
  granularity: 1,
};

export function createNginxRouter(options: NginxRouterOptions): Router {
  return new NginxRouter(options);
}

/** Leaves room for a billion changes in the numbers that are counted exactly. */
const generationStep = 1_000_000;

/** Where requests are looked up now. */
interface InForce {
  readonly table: string;
  readonly revision: number;
  readonly text: string | undefined;
}

class NginxRouter implements Router {
  readonly capabilities: RouterCapabilities;
  readonly #spec: NginxRouterSpec;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #files: Files;
  readonly #program: Program;
  readonly #facts: Facts;
  readonly #instances = new Instances();
  readonly #feed: NginxFeed;
  #feedPortTaken = false;
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ spec, clock, log = silentLog }: NginxRouterOptions) {
    this.capabilities = { ...capabilities, preview: spec.preview !== undefined };
    this.#spec = spec;
    this.#clock = clock;
    this.#log = log;
    this.#files = new Files(spec.include);
    this.#program = new Program(spec);
    this.#facts = new Facts(spec, this.#program);
    const [files, instances, facts] = [this.#files, this.#instances, this.#facts];
    this.#feed = new NginxFeed({ spec, files, facts, instances, clock, log });
  }

  async check(scope: Scope): Promise<void> {
    const disk = await this.#files.read();
    if (disk !== undefined) this.#refuseOther(disk.model, scope);
    this.#facts.learn(await checkNginx(this.#spec, this.#files, this.#program));
    if (disk === undefined || this.#feed.isReading) return;
    this.#feedPortTaken = !(await isFreeForFeed(this.#spec.feedHost, disk.model.feedPort));
  }

  apply(routes: Routes, signal?: AbortSignal): Promise<void> {
    return this.#inTurn(() => this.#locked(() => this.#apply(routes, signal), signal));
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const acted = this.#turn.then(act);
    this.#turn = acted.catch(() => undefined);
    return acted;
  }

  #locked(act: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    return withIncludeLock({ path: this.#files.lock, clock: this.#clock, log: this.#log }, act, signal);
  }

  async #apply(routes: Routes, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const disk = await this.#files.read();
    if (disk !== undefined) this.#refuseOther(disk.model, routes.scope);
    else await this.#finishRemoval(routes.scope, signal);
    this.#refuseStale(await this.#inForce(disk), routes);
    const { model, text } = await this.#fitted(disk, routes);
    const table = await this.#put(routes, model);
    this.#instances.learn(routes);
    this.#instances.place(routes, model);
    if (text === disk?.text) await this.#prove(model, table, routes, signal);
    else {
      if (disk !== undefined) await this.#moveBefore(disk.model, routes);
      const isCurrent = (): Promise<boolean> => this.#isCurrent(disk, routes);
      const change = { text, model, former: disk?.model, isCurrent };
      if (!(await changeInclude(await this.#tools(), change, signal))) return this.#apply(routes, signal);
      this.#facts.forget();
      this.#feedPortTaken = false;
      this.#feed.changed(model);
      await this.#prove(model, table, routes, signal);
    }
    await this.#refuseOvertaken(model, routes);
    await this.#files.settle(model.generation, table.name);
    await this.#files.clean(model.generation, table.name);
  }

  /** Whether nobody changed the include since it was read. Rejects with `router.stale` where newer routes came meanwhile. */
  async #isCurrent(disk: OnDisk | undefined, routes: Routes): Promise<boolean> {
    const now = await this.#files.read();
    if (disk !== undefined && now === undefined) throw this.#overtaken('the service was taken away');
    if (now?.text !== disk?.text) return false;
    if (disk !== undefined) await this.#refuseOvertaken(disk.model, routes);
    return true;
  }

  /** Another environment's include would be overwritten. */
  #refuseOther(model: Model, scope: Scope): void {
    if (sameScope(model.scope, scope)) return;
    throw new Failure('router.include', `The include for NGINX belongs to ${scopeName(model.scope)}.`, {
      at: this.#spec.include,
      remedy: `Name another file for ${scopeName(scope)} under \`router.nginx.include\`.`,
    });
  }

  async #inForce(disk: OnDisk | undefined): Promise<InForce | undefined> {
    if (disk === undefined) return undefined;
    const table = await this.#files.tableOf(disk.model.generation);
    const revision = table === undefined ? undefined : revisionOf(table);
    if (table === undefined || revision === undefined) return undefined;
    return { table, revision, text: await this.#files.routesText(table) };
  }

  #refuseStale(inForce: InForce | undefined, routes: Routes): void {
    if (inForce === undefined || inForce.revision < routes.revision) return;
    if (inForce.revision === routes.revision) {
      // Damaged or not there: what is applied mends it.
      if (inForce.text === undefined || inForce.text === routesText(routes)) return;
    }
    throw this.#stale(routes.revision, inForce.revision);
  }

  #stale(revision: number, inForce: number): Failure {
    const what = revision === inForce ? `other routes of revision ${inForce}` : `revision ${inForce}`;
    return this.#atWork(`Routes of revision ${revision} are too old: NGINX has ${what}.`);
  }

  #overtaken(what: string): Failure {
    return this.#atWork(`Another controller came first with NGINX: ${what}.`);
  }

  #atWork(message: string): Failure {
    return new Failure('router.stale', message, {
      at: this.#spec.include,
      remedy: 'Another controller is at work; look with `sluice status`.',
    });
  }

  /** The model and include that can serve the routes; a new generation only where the include changes. */
  async #fitted(disk: OnDisk | undefined, routes: Routes): Promise<{ readonly model: Model; readonly text: string }> {
    const former = disk?.model ?? (await newModel(routes.scope, this.#spec));
    const fitted = this.#fit(await this.#withFeedPort(former), routes);
    const text = this.#render(fitted, routes.scope);
    if (disk !== undefined && text === disk.text) return { model: fitted, text };
    const model = { ...fitted, generation: generationAfter(former.generation) };
    return { model, text: this.#render(model, routes.scope) };
  }

  #fit(model: Model, routes: Routes): Model {
    return fitModel(model, routes, this.#spec.serverName !== undefined);
  }

  /** A port that a check found with another program is given up; a way back does not wait for such a look. */
  async #withFeedPort(model: Model): Promise<Model> {
    if (!this.#feedPortTaken) return model;
    const feedPort = await freeFeedPort(this.#spec.feedHost);
    this.#log.write('warn', 'the port of the feed is in use; NGINX gets another one', {
      port: model.feedPort,
      feedPort,
    });
    return { ...model, feedPort };
  }

  #render(model: Model, scope: Scope): string {
    return render({ scope, spec: this.#spec, model, directory: directoryInside(this.#spec) });
  }

  /** Moves the traffic of a generation. */
  async #put(routes: Routes, model: Model): Promise<Table> {
    const table = tableOf(routes, model, model.generation);
    await this.#files.writeTable(table, routesText(routes));
    await this.#files.point(model.generation, table.name);
    return table;
  }

  /** A change of the include may be refused or take its time: where the former one can serve the routes, it does so before. */
  async #moveBefore(former: Model, routes: Routes): Promise<void> {
    if (this.#fit(former, routes) === former) await this.#put(routes, former);
  }

  /** Rejects when NGINX does not serve by this table; reloads it where it never read the include, as after a crash. */
  async #prove(model: Model, table: Table, routes: Routes, signal: AbortSignal | undefined): Promise<void> {
    let answer = await askGeneration(this.#spec, model.askToken);
    if (answer !== undefined && answer.generation !== model.generation) {
      await this.#moveServed(model, answer.generation, routes);
      answer = await this.#afterReload(model, answer);
    }
    if (answer !== undefined && answer.generation !== model.generation) {
      await reloadTo(await this.#tools(), model, { ...model, generation: answer.generation }, signal);
      answer = await askGeneration(this.#spec, model.askToken);
    }
    if (answer === undefined) throw elsewhere(this.#spec);
    if (answer.table === table.name) return;
    throw new Failure('router.refused', 'NGINX’s workers cannot read the folder that they look requests up in.', {
      at: directoryInside(this.#spec),
      remedy:
        'Let the user that NGINX’s workers run as pass through all folders above it, or put the include elsewhere.',
    });
  }

  /** A reload that was given up when something more urgent came may only just be taking place. */
  async #afterReload(model: Model, former: Answer): Promise<Answer | undefined> {
    const until = this.#clock.now() + bothServeMs;
    let answer: Answer | undefined = former;
    while (answer?.generation === former.generation && this.#clock.now() < until) {
      await this.#clock.sleep(askEveryMs);
      answer = await askGeneration(this.#spec, model.askToken);
    }
    return answer;
  }

  /** What NGINX serves by is neither what lies there nor gone: traffic moves in it as well, where it can. */
  async #moveServed(model: Model, generation: number, routes: Routes): Promise<void> {
    const former = await this.#files.readFormer();
    if (former?.generation === generation) await this.#moveBefore(former, routes);
    else this.#log.write('warn', 'NGINX serves by an include that is gone', { generation, expected: model.generation });
  }

  /** A controller that was frozen in the middle of this may have moved traffic back to routes older than those in force. */
  async #refuseOvertaken(model: Model, routes: Routes): Promise<void> {
    const newest = await this.#files.newestTable();
    const revision = newest === undefined ? undefined : revisionOf(newest);
    if (newest === undefined || revision === undefined || revision <= routes.revision) return;
    if (await this.#wasMadeFor(newest, model)) await this.#files.point(model.generation, newest);
    throw this.#stale(routes.revision, revision);
  }

  /** Under another include the sets of servers in a table are others. */
  async #wasMadeFor(table: string, model: Model): Promise<boolean> {
    const text = await this.#files.routesText(table);
    if (text === undefined) return false;
    const routes = parseRoutes(text, this.#files.directory);
    return this.#fit(model, routes) === model && tableOf(routes, model, model.generation).name === table;
  }

  async #tools(): Promise<ChangeTools> {
    const { pidFile, errorLog } = await this.#facts.get();
    const [spec, files, program, clock, log] = [this.#spec, this.#files, this.#program, this.#clock, this.#log];
    return { spec, files, program, clock, log, pidFile, errorLog };
  }

  async read(scope: Scope): Promise<Routes | undefined> {
    const disk = await this.#files.read();
    if (disk === undefined || !sameScope(disk.model.scope, scope)) return undefined;
    if ((await this.#inForce(disk)) === undefined) return undefined;
    const answer = await askGeneration(this.#spec, disk.model.askToken);
    if (answer === undefined) throw elsewhere(this.#spec);
    const text = await this.#files.routesText(answer.table);
    return text === undefined ? undefined : parseRoutes(text, this.#files.directory);
  }

  feed(_scope: Scope, signal: AbortSignal): AsyncIterable<SampleBatch> {
    return this.#feed.read(signal);
  }

  remove(scope: Scope, signal?: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      // Where Sluice never was there may be no right, or no folder, to make a lock in; and none is to be left there.
      if (await this.#files.isThere()) await this.#locked(() => this.#remove(scope, signal), signal);
      this.#facts.forget();
      this.#instances.forget();
      this.#feed.changed(undefined);
      this.#feedPortTaken = false;
    });
  }

  async #remove(scope: Scope, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const disk = await this.#files.read();
    // By the former include NGINX goes on serving where a removal was killed before NGINX was told.
    const model = disk?.model ?? (await this.#files.readFormer());
    if (model !== undefined && !sameScope(model.scope, scope)) return;
    if (model !== undefined) {
      const newest = await this.#files.newestTable();
      const isCurrent = (): Promise<boolean> => this.#isUntouched(disk, newest);
      const removal = { model, lies: disk !== undefined, isCurrent };
      if (!(await takeAway(await this.#tools(), removal, signal))) return this.#remove(scope, signal);
    }
    await this.#files.clear();
  }

  /** Whether nobody changed anything since; false: somebody else removed it. A removal must not take away newer routes. */
  async #isUntouched(disk: OnDisk | undefined, newest: string | undefined): Promise<boolean> {
    const [now, table] = [await this.#files.read(), await this.#files.newestTable()];
    if (now?.text === disk?.text && table === newest) return true;
    if (now === undefined && (disk !== undefined || table === undefined)) return false;
    throw this.#overtaken('there are newer routes than those that were to be taken away');
  }

  /** Of a removal that was killed NGINX may know nothing yet, and tables of those routes would pass for newer ones. */
  async #finishRemoval(scope: Scope, signal: AbortSignal | undefined): Promise<void> {
    if (!(await this.#files.isTakenAway())) return;
    const former = await this.#files.readFormer();
    await this.#remove(former?.scope ?? scope, signal);
  }

  async drain(_scope: Scope, instances: readonly string[], withinMs: number, signal?: AbortSignal): Promise<number> {
    for (const text of await this.#files.allRoutes()) this.#instances.learnText(text);
    const addresses = instances.flatMap((instance) => this.#instances.address(instance) ?? []);
    if (addresses.length === 0) return 0;
    const { container } = this.#spec;
    const tables = container === undefined ? ownTables : () => this.#program.look(['cat', ...tableFiles]);
    const users = container === undefined ? await this.#facts.users() : undefined;
    return drainConnections({ addresses, withinMs, tables, users, clock: this.#clock, signal });
  }
}

async function newModel(scope: Scope, spec: NginxRouterSpec): Promise<Model> {
  return {
    version: 1,
    scope: { service: scope.service, environment: scope.environment },
    generation: 1,
    askToken: randomBytes(16).toString('hex'),
    feedToken: randomBytes(16).toString('hex'),
    feedPort: await freeFeedPort(spec.feedHost),
    slots: [],
    rules: [],
  };
}

/** Not the next number: two controllers that start from the same include must not come to the same one, as each has a folder for it. */
function generationAfter(generation: number): number {
  return generation + randomInt(1, generationStep);
}

/** The same text for the same routes, however they were made. */
function routesText(routes: Routes): string {
  return canonicalJson(JSON.parse(JSON.stringify(routes)));
}
