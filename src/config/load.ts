// Loads a configuration: finds its file, and checks it whole.

import { findConfig, type LoadOptions } from './find.ts';
import { type Config, parseConfig } from './parse.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute; paths in the configuration are relative to its directory. */
  readonly file: string;
}

/** Rejects with `config.missing`, `config.syntax`, `config.invalid`, `release.mutable` or `disk.failed`. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { file, text } = await findConfig(options);
  return { config: parseConfig(text, file), file };
}
