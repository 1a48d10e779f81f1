// Where Sluice keeps what it has to remember.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The places below Sluice's home. */
export interface Places {
  readonly home: string;
  readonly store: string;
  readonly socket: string;
  readonly log: string;
  /** The token of a server that was given none. */
  readonly token: string;
  readonly releases: string;
  /** What is known of releases that are images. */
  readonly images: string;
  /** By what this home's containers are told from those of others at the same engine. */
  readonly owner: string;
  readonly instances: string;
  readonly proxies: string;
}

/** `home` as given, or `$XDG_STATE_HOME/sluice`, or `~/.local/state/sluice`. */
export function placesUnder(home: string | undefined): Places {
  const root = resolve(home ?? join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'sluice'));
  return {
    home: root,
    store: join(root, 'sluice.db'),
    socket: join(root, 'sluice.sock'),
    log: join(root, 'controller.log'),
    token: join(root, 'token'),
    releases: join(root, 'releases'),
    images: join(root, 'images'),
    owner: join(root, 'owner'),
    instances: join(root, 'instances'),
    proxies: join(root, 'proxies'),
  };
}
