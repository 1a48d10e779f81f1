// Reads the name of the service from a configuration file without checking the rest: for commands that only look.

import { findConfig, type LoadOptions } from './find.ts';

// A plain name at the beginning of a line can only be the setting itself: everything nested is indented.
const plainName = /^service:[ \t]+(["']?)([a-z0-9][a-z0-9-]{0,62})\1[ \t]*(?:#.*)?\r?$/gm;

/**
 * Undefined where only the whole parser can tell: the name is written in an unusual way, or twice. Rejects as `findConfig` does.
 * The schema is most of what it takes to load a configuration, and whoever asks for a status waits for it.
 */
export async function peekService(options: LoadOptions): Promise<string | undefined> {
  const { text } = await findConfig(options);
  const [first, ...others] = text.matchAll(plainName);
  return others.length === 0 ? first?.[2] : undefined;
}
