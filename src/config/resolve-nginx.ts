// Resolves the settings under `router.nginx`.

import { resolve as resolvePath } from 'node:path';
import type { BucketKey, NginxRouterSpec } from '../core/plan/spec.ts';
import type { NginxSettings } from './schema/nginx.ts';

export function nginxRouter(given: NginxSettings, baseDirectory: string): NginxRouterSpec {
  const { listen, program, feedHost, limits, trustForwarded, tls } = given;
  const inDirectory = (path: string): string => resolvePath(baseDirectory, path);
  return {
    driver: 'nginx',
    listen,
    include: inDirectory(given.include),
    program,
    feedHost,
    by: bucketKey(given.by),
    limits: { headerBytes: limits.header, idleMs: limits.idle, answerMs: limits.answer },
    trustForwarded,
    ...(tls === undefined ? {} : { tls: { certificate: inDirectory(tls.certificate), key: inDirectory(tls.key) } }),
    ...optional(given, baseDirectory),
  };
}

function optional(given: NginxSettings, baseDirectory: string): Partial<NginxRouterSpec> {
  const { preview, reachAt, serverName, container, includeInside, pidFile, commands, accessLog } = given;
  return {
    ...(preview === undefined ? {} : { preview }),
    ...(reachAt === undefined ? {} : { reachAt }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(container === undefined ? {} : { container }),
    ...(includeInside === undefined ? {} : { includeInside }),
    ...(pidFile === undefined ? {} : { pidFile: resolvePath(baseDirectory, pidFile) }),
    ...(commands === undefined ? {} : { commands }),
    ...(accessLog === undefined ? {} : { accessLog: resolvePath(baseDirectory, accessLog) }),
  };
}

function bucketKey(given: NginxSettings['by']): BucketKey {
  switch (given.name) {
    case 'request':
    case 'address':
      return { kind: given.name };
    case 'header':
      return { kind: 'header', name: given.settings.name.toLowerCase() };
    case 'cookie':
      return { kind: 'cookie', name: given.settings.name };
  }
}
