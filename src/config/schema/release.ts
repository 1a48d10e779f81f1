// `release` and `env`: what is deployed and how an instance of it is started.

import * as z from 'zod';
import { words } from '../words.ts';
import { oneKind, settings } from './settings.ts';
import { command, size, text, whole } from './values.ts';

const outside = words('leaves the release', 'Write a path below the release’s root, such as server; . is the root.');

const limits = settings({
  memory: size({ least: '16MiB', most: '64TiB' }).optional().describe('The most memory that one instance may use.'),
  openFiles: whole(16, 10_000_000).optional().describe('The most files and sockets that one instance may have open.'),
}).meta({ id: 'Limits' });

export const releaseSchema = settings({
  directory: text('./dist')
    .optional()
    .describe(
      'The directory with the built release, relative to this file. It is copied when a deployment starts, so what runs never changes under it.',
    ),
  command: command()
    .optional()
    .describe(
      'The program that starts one instance, as a list or as one text. No shell runs it: spaces part words, `\'…\'` and `"…"` keep them together, a backslash takes the next character as it is. The instance must listen on the port in the variable `PORT`.',
    ),
  ignore: z
    .array(text('"*.map"'), { error: words('is not a list', 'Write a list of patterns, such as ["*.map"].') })
    .max(1000, { error: words('is too long', 'Write at most 1000 patterns.') })
    .prefault(['.git', '.sluice'])
    .describe('Files and directories of `directory` that are left out.'),
  workingDirectory: text('server')
    .refine((path) => staysInside(path), { error: outside })
    .prefault('.')
    .describe('Where in the release the command runs.'),
  user: z
    .union([text('www-data', 64), z.int().min(0).max(4_294_967_294)])
    .optional()
    .describe('The user, by name or number, that instances run as. Only root can start instances as somebody else.'),
  limits: limits.optional().describe('Limits of one instance; a limit that the system cannot enforce is refused.'),
  image: text('ghcr.io/acme/shop:1.4.2', 512)
    .regex(/^[a-z0-9][A-Za-z0-9._/:@-]*$/, {
      error: words('is not an image', 'Write an image such as ghcr.io/acme/shop:1.4.2.'),
    })
    .optional()
    .describe('A container image, by digest or by a tag that never moves. Needs a platform that runs containers.'),
}).meta({ id: 'Release' });

/** Whether a relative path stays at or below where it starts. */
function staysInside(path: string): boolean {
  return !/^[/\\]|^[A-Za-z]:/.test(path) && !path.split(/[/\\]/).includes('..');
}

const value = words(
  'is neither text nor a source of it',
  'Write text (numbers in quotes), { fromFile: path } or { fromEnvironment: NAME }.',
);

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: words('is not the name of a variable', 'Use letters, digits and underscores.'),
});

export const envSchema = z
  .record(
    variableName.max(256),
    z
      .union([
        z
          .string({ error: value })
          .max(65_536, { error: words('is too long', 'Keep it below 64 KiB.') })
          .refine((given) => !given.includes('\0'), { error: words('holds a NUL character', 'Remove it.') }),
        oneKind('source of a value', {
          fromFile: text('./secrets/token').describe('Path of a file with the value, relative to this one.'),
          fromEnvironment: variableName.describe('Name of a variable of the machine that runs the instance.'),
        }),
      ])
      .meta({ title: 'text, fromFile or fromEnvironment' }),
    { error: words('is not a map of variables', 'Write lines such as NODE_ENV: production under it.') },
  )
  .meta({ id: 'Variables' });
