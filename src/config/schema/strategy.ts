// `strategy`: the way in which a new release takes over.

import * as z from 'zod';
import { words } from '../words.ts';
import { choice, settings } from './settings.ts';
import { duration, share, text, whole } from './values.ts';

const promotion = z
  .enum(['automatic', 'manual'], { error: words('is not a way to promote', 'Write automatic or manual.') })
  .prefault('automatic');

const hold = settings({
  atLeast: duration().prefault('60s').describe('Shortest time at a stage.'),
  requests: whole(0, 1_000_000_000).prefault(100).describe('Fewest finished requests of the new release at a stage.'),
}).meta({ id: 'Hold' });

const stageHold = settings({
  atLeast: duration().optional().describe('Shortest time at this stage.'),
  requests: whole(0, 1_000_000_000).optional().describe('Fewest finished requests of the new release at this stage.'),
});

const stage = z.union([
  share().transform((points) => ({ share: points, hold: {} as z.output<typeof stageHold> })),
  settings({
    share: share().describe('Traffic of the new release at this stage.'),
    hold: stageHold.prefault({}).describe('What differs from the strategy’s `hold` at this stage.'),
  }).meta({ id: 'Stage' }),
]);

const token = (what: string, example: string) =>
  text(example, 256).regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, {
    error: words(`is not the name of a ${what}`, `Use letters, digits and dashes, such as ${example}.`),
  });

const sticky = settings({
  cookie: token('cookie', 'sluice').prefault('sluice').describe('Name of the cookie.'),
  maxAge: duration({ leastMs: 1000, mostMs: 400 * 86_400_000 })
    .prefault('1h')
    .describe('How long a visitor stays with a release.'),
}).meta({ id: 'Sticky' });

const equals = text('"yes"', 1024).describe('The exact value.');

const match = z
  .union([
    settings({ header: token('header', 'x-canary').describe('Name of the header.'), equals }),
    settings({ cookie: token('cookie', 'tester').describe('Name of the cookie.'), equals }),
  ])
  .describe('A header’s or a cookie’s name, and its value in `equals`.');

const keepOld = duration()
  .prefault('10m')
  .describe('How long the old release stays warm after the promotion, so that going back is one switch.');

const canary = settings({
  stages: z
    .array(stage, { error: words('is not a list of stages', 'Write a list such as [1%, 10%, 50%, 100%].') })
    .min(1, { error: words('has no stage', 'Write a list such as [1%, 10%, 50%, 100%].') })
    .max(100, { error: words('is too long', 'Write at most 100 stages.') })
    .prefault(['1%', '10%', '50%', '100%'])
    .describe(
      'Shares of traffic that the new release gets, one after the other, rising to 100%. A stage is a share, or `{ share, hold }`. At 100% the release is promoted, and the hold is how long it is observed there.',
    ),
  hold: hold.prefault({}).describe('What each stage waits for besides its gates.'),
  maxHold: duration({ leastMs: 1000 })
    .prefault('1h')
    .describe('After so long without enough evidence, a stage pauses and waits for a person.'),
  keepOld,
  promotion: promotion.describe('`manual`: each stage waits for `sluice promote` after its gates passed.'),
  sticky: sticky
    .optional()
    .describe('Visitors stay with the release that served them first, by a cookie. Write `{}` for the defaults.'),
  match: z
    .array(match, {
      error: words('is not a list of rules', 'Write a list such as [{ header: x-canary, equals: "yes" }].'),
    })
    .max(50)
    .prefault([])
    .describe('Requests that go to the new release as long as it is on trial, whatever its share.'),
}).meta({ id: 'Canary' });

const blueGreen = settings({
  switchDelay: duration().prefault('0s').describe('Wait between the checks on the idle slot and the switch.'),
  observe: duration()
    .prefault('30s')
    .describe('How long the gates look on behind the switch before the release is promoted.'),
  keepOld,
  promotion: promotion.describe('`manual`: waits for `sluice promote` after the gates passed.'),
}).meta({ id: 'BlueGreen' });

const rolling = settings({
  maxSurge: whole(0, 1000).prefault(1).describe('New instances that may run beyond `instances` meanwhile.'),
  maxUnavailable: whole(0, 1000).prefault(0).describe('Instances that may be missing meanwhile.'),
  observe: duration().prefault('5s').describe('How long the gates look on after each batch.'),
}).meta({ id: 'Rolling' });

export const strategySchema = choice('strategy', 'canary', {
  canary: canary.describe('The new release gets its traffic in stages, each of which its gates must earn.'),
  'blue-green': blueGreen.describe('The new release is checked beside the old one, then takes all traffic at once.'),
  rolling: rolling.describe('Instances are replaced in batches.'),
}).meta({ id: 'Strategy' });

export type StrategySettings = z.output<typeof strategySchema>;
