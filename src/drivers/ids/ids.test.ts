// Both sources of names pass the contract.

import { idsContract } from '../../ports/ids.contract.ts';
import { randomIds } from './random-ids.ts';
import { createSequentialIds } from './sequential-ids.ts';

idsContract('random', () => randomIds);
idsContract('sequential', createSequentialIds);
