// Resolves the settings of a router: absolute paths and milliseconds.

import { resolve as resolvePath } from 'node:path';
import type { EmbeddedRouterSpec, HaproxyRouterSpec, RouterSpec } from '../core/plan/spec.ts';
import { nginxRouter } from './resolve-nginx.ts';
import type { Settings } from './schema/config.ts';

type Given<Name extends Settings['router']['name']> = Extract<Settings['router'], { name: Name }>['settings'];

export function routerSpec(given: Settings['router'], baseDirectory: string): RouterSpec {
  switch (given.name) {
    case 'embedded':
      return embedded(given.settings, baseDirectory);
    case 'haproxy':
      return haproxy(given.settings, baseDirectory);
    case 'nginx':
      return nginxRouter(given.settings, baseDirectory);
  }
}

function embedded(given: Given<'embedded'>, baseDirectory: string): EmbeddedRouterSpec {
  const { listen, preview, tls, limits, trustForwarded } = given;
  return {
    driver: 'embedded',
    listen,
    ...(preview === undefined ? {} : { preview }),
    ...(tls === undefined
      ? {}
      : {
          tls: { certificate: resolvePath(baseDirectory, tls.certificate), key: resolvePath(baseDirectory, tls.key) },
        }),
    limits: { headerBytes: limits.header, idleMs: limits.idle, answerMs: limits.answer },
    trustForwarded,
  };
}

function haproxy(given: Given<'haproxy'>, baseDirectory: string): HaproxyRouterSpec {
  const { listen, preview, socket, check, feed, feedReach, limits, trustForwarded } = given;
  return {
    driver: 'haproxy',
    listen,
    ...(preview === undefined ? {} : { preview }),
    directory: resolvePath(baseDirectory, given.directory),
    socket: 'path' in socket ? { path: resolvePath(baseDirectory, socket.path) } : socket,
    reload: haproxyReload(given.reload, baseDirectory),
    ...(check === undefined ? {} : { check }),
    feed: { listen: feed, reach: feedReach ?? feed },
    limits: { idleMs: limits.idle, answerMs: limits.answer },
    trustForwarded,
  };
}

function haproxyReload(given: Given<'haproxy'>['reload'], baseDirectory: string): HaproxyRouterSpec['reload'] {
  switch (given.name) {
    case 'pidFile':
      return { kind: 'pidFile', path: resolvePath(baseDirectory, given.settings) };
    case 'container':
      return { kind: 'container', container: given.settings };
    case 'command':
      return { kind: 'command', command: given.settings };
  }
}
