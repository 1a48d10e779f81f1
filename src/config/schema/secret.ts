// Where a secret lies: what is written in a configuration in its place.

import * as z from 'zod';
import { words } from '../words.ts';
import { oneKind } from './settings.ts';
import { text } from './values.ts';

export const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/, {
  error: words('is not the name of a variable', 'Use letters, digits and underscores.'),
});

export const secret = oneKind(
  'place of a secret',
  {
    fromFile: text('./secrets/token').describe('Path of a file with it, relative to this one; read each time.'),
    fromEnvironment: variableName.describe('Name of a variable of the controller.'),
  },
  '{ fromFile: ./secrets/token } or { fromEnvironment: NAME }',
).meta({ id: 'Secret' });
