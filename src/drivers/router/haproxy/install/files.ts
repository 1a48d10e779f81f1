// The files of a scope in the directory that HAProxy loads: what HAProxy serves when it is started again, with or without Sluice.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { removeUnfinished, syncDirectory, writeDurably } from '../../../../base/durable-file.ts';
import { isCode } from '../../../../base/system-error.ts';
import type { Scope } from '../../../../core/scope.ts';
import { generationName, type Layout, layoutSchema } from '../config/layout.ts';
import { configFile, generationOf, mapFileName } from '../config/names.ts';
import type { RoutesRecord } from '../config/record.ts';
import { layoutTextIn, render } from '../config/render.ts';
import { directoryFailure } from './directory-failure.ts';

/** HAProxy reads them as its own user. */
const mode = 0o644;

/** What a scope has in the configuration. */
export interface Part {
  readonly layout: Layout;
  readonly record: RoutesRecord;
}

export class ScopeFiles {
  readonly #directory: string;
  readonly #scope: Scope;

  constructor(directory: string, scope: Scope) {
    this.#directory = directory;
    this.#scope = scope;
  }

  get #config(): string {
    return configFile(this.#directory, this.#scope);
  }

  /**
   * The configuration as it is; undefined where there is none. Traffic waits for it before it moves: without threads, because each
   * step of theirs waits for a processor where there are few.
   */
  async read(): Promise<string | undefined> {
    try {
      return readFileSync(this.#config, 'utf8');
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw directoryFailure(error, this.#directory);
    }
  }

  /** The layout of the configuration; undefined where there is none, or none that Sluice wrote. */
  async layout(): Promise<Layout | undefined> {
    const text = layoutTextIn((await this.read()) ?? '');
    if (text === undefined) return undefined;
    try {
      return layoutSchema.parse(JSON.parse(text));
    } catch {
      // Written by another version or by hand: HAProxy is given a new one.
      return undefined;
    }
  }

  /**
   * The configuration names its own map, so that the one rename that puts it in place changes both. `seenAs`: the directory as
   * HAProxy sees it.
   */
  async write({ layout, record }: Part, seenAs: string): Promise<void> {
    const name = mapFileName(this.#scope, generationName(layout), record.routes.revision);
    const { config, map } = render(layout, record, join(seenAs, name));
    const former = await this.read();
    if (former === config && (await readOrNothing(join(this.#directory, name))) === map) return;
    try {
      await writeDurably(join(this.#directory, name), map, mode);
      await writeDurably(this.#config, config, mode);
      // Somebody may be reading the former one right now, and it is put back where HAProxy does not take the new one.
      await this.#removeMaps((file) => file === name || (former ?? '').includes(`/${file}`));
    } catch (error) {
      throw directoryFailure(error, this.#directory);
    }
  }

  /** Puts a configuration back as it was, or takes it away where there was none. Its map is left where it is. */
  async restore(config: string | undefined): Promise<void> {
    try {
      if (config === undefined) await this.#removeConfig();
      else await writeDurably(this.#config, config, mode);
    } catch (error) {
      throw directoryFailure(error, this.#directory);
    }
  }

  /** Leaves nothing of the scope. */
  async remove(): Promise<void> {
    try {
      await this.#removeConfig();
      await this.#removeMaps(() => false);
      await this.#removeRehearsals();
    } catch (error) {
      throw directoryFailure(error, this.#directory);
    }
  }

  /** For good before any map goes: a HAProxy that finds a configuration without its map does not start. */
  async #removeConfig(): Promise<void> {
    await rm(this.#config, { force: true });
    await syncDirectory(this.#directory);
  }

  /**
   * Runs `check` on a directory beside the configuration with everything that HAProxy would load, this scope's part as it would
   * be; undefined: it has none. HAProxy looks at no directory within a directory.
   */
  async rehearse<T>(part: Part | undefined, seenAs: string, check: (directory: string) => Promise<T>): Promise<T> {
    const name = `check-${randomBytes(4).toString('hex')}`;
    const directory = join(this.#directory, name);
    const own = basename(this.#config);
    try {
      await this.#removeRehearsals();
      await mkdir(directory, { mode: 0o755 });
      for (const file of await readdir(this.#directory)) {
        if (file.endsWith('.cfg') && !file.startsWith('.') && file !== own)
          await copyFile(join(this.#directory, file), join(directory, file));
      }
      if (part !== undefined) {
        const mapName = mapFileName(this.#scope, generationName(part.layout), part.record.routes.revision);
        const { config, map } = render(part.layout, part.record, join(seenAs, name, mapName));
        await writeFile(join(directory, mapName), map, { mode });
        await writeFile(join(directory, own), config, { mode });
      }
    } catch (error) {
      throw directoryFailure(error, this.#directory);
    }
    try {
      return await check(join(seenAs, name));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #removeRehearsals(): Promise<void> {
    for (const entry of await readdir(this.#directory)) {
      if (/^check-[0-9a-f]{8}$/.test(entry)) await rm(join(this.#directory, entry), { recursive: true, force: true });
    }
  }

  async #removeMaps(isKept: (file: string) => boolean): Promise<void> {
    for (const file of await readdir(this.#directory)) {
      const isOurs = generationOf(this.#scope, file) !== undefined;
      if (isOurs && !isKept(file)) await rm(join(this.#directory, file), { force: true });
    }
    // Whoever writes here, for whichever scope, has the directory's lock, and that is we.
    await removeUnfinished(this.#directory, () => true);
  }
}

async function readOrNothing(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
