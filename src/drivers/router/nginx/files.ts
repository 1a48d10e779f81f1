// The files of one scope: the include, and beside it the folder that NGINX looks requests up in.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { removeUnfinished, syncDirectory } from '../../../base/durable-file.ts';
import { Failure } from '../../../base/failure.ts';
import { diskFailure, isCode } from '../../../base/system-error.ts';
import { type Model, modelSchema } from './model.ts';
import { isAwayNote, modelText } from './render.ts';
import { digits, revisionOf, type Table } from './table.ts';

/** A file that somebody put in our place may be of any size. */
const longestInclude = 4 * 1024 * 1024;
/** Tables besides the one in force that are left for a request which is just being looked up, and for people who look. */
const tablesKept = 3;
/** Generations besides the one in force: the one before, and one that a controller made which was overtaken. */
const generationsKept = 2;

/** What is on the disk, whether or not NGINX read it. */
export interface OnDisk {
  readonly text: string;
  readonly model: Model;
}

/**
 * What lies between an order to go back and the rename is done by synchronous calls: they are a hundred, each of microseconds, and
 * a thread for each would have to be waited for on a busy machine.
 */
export class Files {
  readonly include: string;
  /** A name that no `include *.conf;` and no `include *;` matches. */
  readonly directory: string;
  /** The include as it was before a change that is not through. */
  readonly former: string;
  /** Held by the controller that changes any of them. */
  readonly lock: string;

  constructor(include: string) {
    this.include = include;
    this.directory = join(dirname(include), `.${basename(include)}.sluice`);
    this.former = join(dirname(include), `.${basename(include)}.former`);
    this.lock = join(dirname(include), `.${basename(include)}.lock`);
  }

  /**
   * Undefined where there is no include of ours; an empty file, which a person may have made for NGINX to start, is none, and no
   * more is what stands there when the service was taken away.
   */
  async read(): Promise<OnDisk | undefined> {
    const text = this.#readInclude();
    if (text === undefined || text.trim() === '' || isAwayNote(text)) return undefined;
    const json = modelText(text);
    if (json === undefined) throw notOurs(this.include);
    try {
      return { text, model: modelSchema.parse(JSON.parse(json)) };
    } catch (error) {
      throw new Failure('store.corrupt', 'The include for NGINX is damaged: Sluice cannot read what it wrote there.', {
        at: this.include,
        remedy: 'Empty the file; the next deployment writes it anew.',
        cause: error,
      });
    }
  }

  /** Whether a removal came as far as the include. */
  async isTakenAway(): Promise<boolean> {
    return isAwayNote(this.#readInclude() ?? '');
  }

  /** Whether anything of ours lies there that a removal has to do with; a file of somebody else is none of it. */
  async isThere(): Promise<boolean> {
    if (existsSync(this.directory) || existsSync(this.former)) return true;
    return modelText(this.#readInclude() ?? '') !== undefined;
  }

  #readInclude(): string | undefined {
    try {
      if (statSync(this.include).size > longestInclude) throw notOurs(this.include);
      return readFileSync(this.include, 'utf8');
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw diskFailure(error, this.include);
    }
  }

  /** The table that requests are looked up in under a generation of the include. */
  async tableOf(generation: number): Promise<string | undefined> {
    try {
      return basename(readlinkSync(this.#now(generation)));
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw diskFailure(error, this.#now(generation));
    }
  }

  /** What `routes` holds for a table; undefined where it is not there as a whole. */
  async routesText(table: string): Promise<string | undefined> {
    if (revisionOf(table) === undefined) return undefined;
    try {
      return readFileSync(join(this.directory, 'tables', table, 'routes.json'), 'utf8');
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw diskFailure(error, this.directory);
    }
  }

  /** The table with the highest revision. */
  async newestTable(): Promise<string | undefined> {
    const finished = (await this.#tables()).filter((name) => revisionOf(name) !== undefined);
    return finished.sort((a, b) => (revisionOf(b) ?? 0) - (revisionOf(a) ?? 0))[0];
  }

  /** The routes of all tables, the newest last. */
  async allRoutes(): Promise<readonly string[]> {
    const finished = (await this.#tables()).filter((name) => revisionOf(name) !== undefined);
    const sorted = finished.sort((a, b) => (revisionOf(a) ?? 0) - (revisionOf(b) ?? 0));
    const texts = await Promise.all(sorted.map((name) => this.routesText(name)));
    return texts.filter((text) => text !== undefined);
  }

  /** The model of the include before the one that lies there, while a change is not through. */
  async readFormer(): Promise<Model | undefined> {
    const text = await readFile(this.former, 'utf8').catch(() => '');
    const json = modelText(text);
    try {
      return json === undefined ? undefined : modelSchema.parse(JSON.parse(json));
    } catch {
      return undefined;
    }
  }

  /** Makes the table, whole or not at all. */
  async writeTable(table: Table, routes: string): Promise<void> {
    const path = join(this.directory, 'tables', table.name);
    const temporary = join(this.directory, 'tables', `.${table.name}.${process.pid}.tmp`);
    try {
      mkdirSync(join(this.directory, 'tables'), { recursive: true, mode: 0o755 });
      for (const name of table.destinations) this.#destine(name);
      rmSync(temporary, { recursive: true, force: true });
      mkdirSync(temporary);
      for (const directory of table.directories) mkdirSync(join(temporary, directory));
      for (const [link, target] of table.links) symlinkSync(target, join(temporary, link));
      writeFileSync(join(temporary, 'routes.json'), routes, { mode: 0o640 });
      // Whatever the umask is, NGINX's workers have to find their way.
      for (const directory of ['.', '..', '../../to', ...table.directories])
        chmodSync(join(temporary, directory), 0o755);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      // It is there already: its name says what is in it.
      if (isCode(error, 'ENOTEMPTY', 'EEXIST')) return;
      throw diskFailure(error, path);
    }
  }

  /** A destination is the same for all tables, so it is made once. */
  #destine(name: string): void {
    const path = join(this.directory, 'to', name);
    if (existsSync(path)) return;
    const temporary = join(this.directory, 'to', `.${name}.${process.pid}.tmp`);
    mkdirSync(join(this.directory, 'to'), { recursive: true, mode: 0o755 });
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary);
    for (const digit of digits) symlinkSync('.', join(temporary, digit));
    chmodSync(temporary, 0o755);
    renameSync(temporary, path);
  }

  /** Moves the traffic: one rename. */
  async point(generation: number, table: string): Promise<void> {
    const now = this.#now(generation);
    const temporary = `${now}.${process.pid}.tmp`;
    try {
      mkdirSync(dirname(now), { recursive: true, mode: 0o755 });
      rmSync(temporary, { force: true });
      symlinkSync(`../tables/${table}`, temporary);
      renameSync(temporary, now);
    } catch (error) {
      throw diskFailure(error, now);
    }
  }

  /** Makes what was done last beyond a crash of the machine. */
  async settle(generation: number, table: string): Promise<void> {
    try {
      await syncFile(join(this.directory, 'tables', table, 'routes.json'));
      await syncDirectory(join(this.directory, 'tables', table));
      await syncDirectory(join(this.directory, 'tables'));
      await syncDirectory(dirname(this.#now(generation)));
    } catch (error) {
      throw diskFailure(error, this.directory);
    }
  }

  /** Keep-alive connections are asked to close as long as this is set; a generation whose folder is gone looks nowhere. */
  async setClosing(generation: number, closing: boolean): Promise<void> {
    if (!existsSync(dirname(this.#now(generation)))) return;
    await this.#mark(join(this.directory, `g${generation}`, 'closing'), closing);
  }

  /** Whether NGINX is to tell of requests. */
  async setFeed(told: boolean): Promise<void> {
    await this.#mark(join(this.directory, 'feed'), told);
  }

  async #mark(path: string, there: boolean): Promise<void> {
    try {
      if (there) await writeFile(path, '', { mode: 0o644 });
      else await rm(path, { force: true });
    } catch (error) {
      throw diskFailure(error, path);
    }
  }

  /** Removes tables and generations that nobody needs any more, and what a crash left. */
  async clean(generation: number, table: string): Promise<void> {
    const tables = (await this.#tables()).sort((a, b) => (revisionOf(b) ?? -1) - (revisionOf(a) ?? -1));
    const pointed = new Set([table]);
    for (const [place, old] of (await this.#generationsBesides(generation)).entries()) {
      const looksIn = await this.tableOf(old);
      // The one before may still be read by workers that are going; one that looks nowhere never was in force.
      if (place < generationsKept && looksIn !== undefined) pointed.add(looksIn);
      else await rm(join(this.directory, `g${old}`), { recursive: true, force: true });
    }
    const finished = tables.filter((name) => revisionOf(name) !== undefined);
    const old = new Set([...finished.slice(tablesKept), ...tables.filter((name) => revisionOf(name) === undefined)]);
    for (const name of old) {
      if (!pointed.has(name)) await rm(join(this.directory, 'tables', name), { recursive: true, force: true });
    }
    await this.#forgetDestinations();
    await rm(this.former, { force: true });
    await removeUnfinished(dirname(this.include), (file) => file === basename(this.include));
  }

  /**
   * Removes all but the include and the lock. The lock stays: who holds a file that is gone, and who makes it anew, would both have
   * it. By the former include a removal is known that is not through, and by the folder that something is left, so it goes last.
   */
  async clear(): Promise<void> {
    const place = dirname(this.include);
    try {
      await removeUnfinished(place, (file) => file === basename(this.include));
      await rm(this.former, { force: true });
      await syncDirectory(place);
      await rm(this.directory, { recursive: true, force: true });
      await syncDirectory(place);
    } catch (error) {
      throw diskFailure(error, this.directory);
    }
  }

  /** The one that was changed last comes first: their numbers say nothing of the time. */
  async #generationsBesides(generation: number): Promise<readonly number[]> {
    const found: { readonly number: number; readonly changed: number }[] = [];
    for (const entry of await readdir(this.directory)) {
      const number = /^g\d+$/.test(entry) ? Number(entry.slice(1)) : generation;
      if (number !== generation) found.push({ number, changed: statSync(join(this.directory, entry)).mtimeMs });
    }
    return found.sort((a, b) => b.changed - a.changed).map(({ number }) => number);
  }

  /** Those that no table leads to any more. */
  async #forgetDestinations(): Promise<void> {
    const needed = new Set<string>();
    for (const entry of await readdir(join(this.directory, 'tables'), { recursive: true, withFileTypes: true })) {
      if (entry.isSymbolicLink()) needed.add(basename(await readlink(join(entry.parentPath, entry.name))));
    }
    for (const name of await readdir(join(this.directory, 'to'))) {
      if (!needed.has(name)) await rm(join(this.directory, 'to', name), { recursive: true, force: true });
    }
  }

  async #tables(): Promise<string[]> {
    try {
      return await readdir(join(this.directory, 'tables'));
    } catch (error) {
      if (isCode(error, 'ENOENT')) return [];
      throw diskFailure(error, this.directory);
    }
  }

  #now(generation: number): string {
    return join(this.directory, `g${generation}`, 'now');
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function notOurs(include: string): Failure {
  return new Failure(
    'router.include',
    'The file that Sluice is to write for NGINX has contents that Sluice did not write.',
    {
      at: include,
      remedy:
        'Name a file of its own for this service and environment under `router.nginx.include`, or empty this one.',
    },
  );
}
