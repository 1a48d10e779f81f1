// The whole configuration file: the single source of its types, defaults, JSON Schema, reference page, template and errors.

import * as z from 'zod';
import { words } from '../words.ts';
import { confidenceSchema } from './confidence.ts';
import { gatesSchema, watchSchema } from './gates.ts';
import { healthSchema } from './health.ts';
import { envSchema, releaseSchema } from './release.ts';
import { metricsSchema } from './metrics.ts';
import { platformSchema, routerSchema } from './router.ts';
import { orOff, settings } from './settings.ts';
import { strategySchema } from './strategy.ts';
import { validateSchema } from './validate.ts';
import { duration, slug, whole } from './values.ts';

export const mostEnvironments = 100;

/** The environment there is where the file names none. */
export const onlyEnvironment = 'production';

const shape = {
  release: releaseSchema.describe('What is deployed, and how it is started. Needed here or in every environment.'),
  env: envSchema
    .prefault({})
    .describe(
      'Environment variables of an instance: text, or `{ fromFile: path }`, or `{ fromEnvironment: NAME }` to read a secret only when an instance starts. `PORT` and names that begin with `SLUICE_` are given by Sluice.',
    ),
  instances: whole(1, 1000).prefault(1).describe('Copies of the release that run.'),
  minAvailable: whole(0, 1000)
    .prefault(1)
    .describe('Never fewer healthy instances have traffic than this. 0 allows an outage while instances are replaced.'),
  port: whole(1, 65_535)
    .optional()
    .describe(
      'Port that the program listens on inside its container. The platform `process` needs none: it gives each instance a port in `PORT`.',
    ),
  health: healthSchema.prefault({}).describe('How Sluice sees that an instance can serve.'),
  validate: validateSchema
    .prefault([])
    .describe(
      'Checks that a release has to pass before it gets traffic, after the switch, and whenever `sluice validate` is run.',
    ),
  strategy: strategySchema
    .prefault('blue-green')
    .describe(
      'The way in which a new release takes over: `blue-green`, `canary` or `rolling`, alone or with settings.',
    ),
  metrics: metricsSchema
    .prefault({})
    .describe('Where `gates.queries` can ask for numbers that the router does not see, by name.'),
  gates: gatesSchema
    .prefault({})
    .describe(
      'What the live requests of a release on trial may look like. A gate that is given here replaces its default; `off` removes it.',
    ),
  watch: watchSchema.prefault({}).describe('What starts a rollback by itself after a promotion.'),
  confidence: orOff(confidenceSchema)
    .optional()
    .describe(
      'Asks before traffic and before the promotion how sure one may be of the release, by a score of 0 to 100 from six factors. Default: off.',
    ),
  drain: duration({ mostMs: 86_400_000 })
    .prefault('30s')
    .describe('How long requests in flight may go on after their release lost its traffic.'),
  stopGrace: duration({ mostMs: 86_400_000 }).prefault('10s').describe('Between SIGTERM and SIGKILL.'),
  keepReleases: whole(0, 10_000)
    .prefault(5)
    .describe('Releases that are kept besides stable and the last known good one.'),
  platform: platformSchema.prefault('process').describe('What runs the instances.'),
  router: routerSchema.describe('What sends traffic to the instances. Needed here or in every environment.'),
} as const;

/** The settings of one environment, with every default in place. */
export const settingsSchema = settings(shape);

export type Settings = z.output<typeof settingsSchema>;

/** Settings that may be incomplete: as a service writes them for all its environments, or an environment for itself. */
const partial = {
  ...shape,
  release: shape.release.optional(),
  router: shape.router.optional(),
};

const environmentSchema = settings(partial).meta({ id: 'Environment' });

export const configSchema = settings({
  service: slug('shop').describe('Name of the service, in lower case.'),
  ...partial,
  environments: z
    .record(slug('staging'), environmentSchema, {
      error: words('is not a map of environments', 'Write names such as staging and production under it.'),
    })
    .refine((given) => Object.keys(given).length > 0, {
      error: words('names no environment', 'Write names such as staging and production under it, or remove it.'),
    })
    .refine((given) => Object.keys(given).length <= mostEnvironments, {
      error: words('has too many environments', `Write at most ${mostEnvironments}.`),
    })
    .optional()
    .describe(
      `The places where the service runs, each with the settings that differ there. Without it there is one, \`${onlyEnvironment}\`.`,
    ),
});
