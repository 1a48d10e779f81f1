// A range of ports for instances, of whatever platform.

import { settings } from './settings.ts';
import { whole } from './values.ts';

export const ports = settings({
  from: whole(1, 65_535).describe('The lowest.'),
  to: whole(1, 65_535).describe('The highest.'),
}).meta({ id: 'PortRange' });
