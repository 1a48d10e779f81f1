// Lets code of this process change nothing more from a chosen change on, as if its process had been killed there with SIGKILL.

import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Act = (...parameters: readonly unknown[]) => unknown;

/** What changes something, and which parameter names the file; undefined: none does, as with programs and signals. */
const changes: readonly (readonly [owner: object, name: string, file: number | undefined])[] = [
  ...['mkdirSync', 'renameSync', 'rmSync', 'writeFileSync', 'chmodSync'].map((name) => [fs, name, 0] as const),
  [fs, 'symlinkSync', 1],
  ...['open', 'mkdir', 'rename', 'rm', 'writeFile'].map((name) => [fs.promises, name, 0] as const),
  [fs.promises, 'copyFile', 1],
  [childProcess, 'execFile', undefined],
  [process, 'kill', undefined],
];

/**
 * Resolves with the change that was not made any more, or with undefined where all of `act` came before it. Counted from 1 are
 * signals, programs that are run, and changes below `root`; many in a row that fill one temporary directory count once.
 */
export async function killedAt(change: number, root: string, act: () => Promise<unknown>): Promise<string | undefined> {
  let left = change;
  let former = '';
  let killed: string | undefined;
  const before = (name: string, file: string): void => {
    const temporary = /^.*\.tmp\//.exec(file)?.[0] ?? '';
    if (killed === undefined && (temporary === '' || temporary !== former)) left -= 1;
    former = temporary;
    if (left > 0) return;
    killed ??= `${name} ${file}`;
    throw new Error(`killed before ${killed}`);
  };
  const restore = watch(root, before);
  try {
    await act();
  } catch (error) {
    if (killed === undefined) throw error;
  } finally {
    restore();
  }
  return killed;
}

/** Returns what ends it. */
function watch(root: string, before: (name: string, file: string) => void): () => void {
  const originals = changes.map(([owner, name, file]) => {
    const original = Reflect.get(owner, name) as Act;
    Reflect.set(owner, name, (...parameters: readonly unknown[]) => {
      if (isChange(name, parameters, file, root))
        before(name, String(file === undefined ? parameters.join(' ') : parameters[file]));
      return Reflect.apply(original, owner, parameters);
    });
    return () => Reflect.set(owner, name, original);
  });
  // Whoever imported them by name has the new ones too.
  syncBuiltinESMExports();
  return () => {
    for (const restore of originals) restore();
    syncBuiltinESMExports();
  };
}

function isChange(name: string, parameters: readonly unknown[], file: number | undefined, root: string): boolean {
  // Signal 0 only asks, and a file that is opened to be read stays as it is.
  if (name === 'kill') return parameters[1] !== 0;
  if (name === 'open' && /^(?:r|undefined)$/.test(String(parameters[1]))) return false;
  return file === undefined || String(parameters[file]).startsWith(`${root}/`);
}
