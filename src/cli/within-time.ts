// Runs work that may never end by itself, such as a person's regular expression on a log, and ends it when it takes too long.

import { createContext, Script } from 'node:vm';

const script = new Script('work()');
const place: { work: () => void } = { work() {} };
createContext(place);

/** Whether `work` came to its end within `mostMs`; where not, it was ended in the middle, and what it changed must not be used. */
export function withinTime(mostMs: number, work: () => void): boolean {
  place.work = work;
  try {
    script.runInContext(place, { timeout: mostMs });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw thrown;
  } finally {
    place.work = () => undefined;
  }
}
