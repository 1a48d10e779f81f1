// A controller process for tests: does one thing with a process platform and kills itself where it is told to.

import * as z from 'zod';
import { realClock } from './fixture.ts';
import { createProcessPlatform } from './process-platform.ts';

const Order = z.object({
  stateDirectory: z.string(),
  releasesDirectory: z.string(),
  group: z.custom<Parameters<ReturnType<typeof createProcessPlatform>['ensure']>[0]>(),
  /** Kill yourself with SIGKILL when this step is reached for the `killOn`th time. */
  killAt: z.string().optional(),
  killOn: z.number().default(1),
  /** Stop instead of ensure, with this grace; 0 ensures. */
  stopGraceMs: z.number().default(0),
});

const order = Order.parse(JSON.parse(process.argv[2] ?? ''));
let reached = 0;

const platform = createProcessPlatform({
  stateDirectory: order.stateDirectory,
  releasesDirectory: order.releasesDirectory,
  clock: realClock,
  onStep: (step) => {
    if (step === order.killAt) reached += 1;
    if (reached === order.killOn) process.kill(process.pid, 'SIGKILL');
  },
});

const { scope, release } = order.group;
if (order.stopGraceMs > 0) await platform.stop({ scope, release: release.id, graceMs: order.stopGraceMs });
else await platform.ensure(order.group);
