// Fresh names from the time and the machine's randomness.

import { randomInt } from 'node:crypto';
import type { Ids } from '../../ports/ids.ts';

/** Without letters and digits that are easily confused when read aloud. */
const alphabet = '23456789abcdefghjkmnpqrstuvwxyz';

export const randomIds: Ids = {
  next(prefix) {
    const [date = '', time = ''] = new Date().toISOString().split('T');
    const stamp = `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}`;
    const tail = Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
    return `${prefix}-${stamp}-${tail}`;
  },
};
