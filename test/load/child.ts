// The load generator as a process of its own, so that it shares no event loop with what it measures; told what to do by its parent.

import { Generator } from './generator.ts';
import type { LoadOrder } from './report.ts';

export type LoadMessage =
  | { readonly kind: 'start'; readonly order: LoadOrder }
  | { readonly kind: 'report' }
  | { readonly kind: 'stop' };

let generator: Generator | undefined;

process.on('message', (message: LoadMessage) => void take(message));
// A parent that is gone wants no more load.
process.on('disconnect', () => process.exit(0));

async function take(message: LoadMessage): Promise<void> {
  if (message.kind === 'start') {
    generator = new Generator(message.order);
    generator.start();
  } else if (message.kind === 'report') process.send?.(generator?.report());
  else process.send?.(await generator?.stop(), () => process.exit(0));
}
