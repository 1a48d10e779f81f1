import { describe } from 'node:test';

import { routerContract } from '../../../ports/router.contract.ts';
import { withoutNginx } from '../../../../test/programs/nginx.ts';
import { makeHarness } from './harness.ts';

const missing = await withoutNginx();

// A share is kept by chance: of 1,000 requests 70 may miss, which happens once in a million times at a quarter.
if (missing === false) routerContract({ name: 'NGINX', requests: 1000, tolerance: 700 }, () => makeHarness());
else describe('NGINX keeps the router contract', { skip: missing });
