// `platform` and `router`: what runs the instances, and what sends traffic to them.

import { listenAddress } from './address.ts';
import { dockerSchema } from './docker.ts';
import { haproxySchema } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { ports } from './ports.ts';
import { choice, oneKind, settings } from './settings.ts';
import { duration, flag, size, text } from './values.ts';

export const platformSchema = choice('platform', 'process', {
  process: settings({
    ports: ports
      .optional()
      .describe(
        'Instances take the lowest free port of this range; without it any from 20000 to 31999. Name one for a router that has to be reloaded for addresses it does not know, such as NGINX.',
      ),
  })
    .describe('Instances are processes of this machine, each with a port of its own in `PORT`.')
    .meta({ id: 'ProcessPlatform' }),
  docker: dockerSchema.describe('Instances are containers of a container engine, Docker Engine 20.10 or later.'),
}).meta({ id: 'Platform' });

const tls = settings({
  certificate: text('./tls/cert.pem').describe('Certificate chain as a PEM file, relative to this file.'),
  key: text('./tls/key.pem').describe('Its private key as a PEM file.'),
}).meta({ id: 'Tls' });

const limits = settings({
  header: size({ least: '1KiB', most: '1MiB' }).prefault('16KiB').describe('Largest head of a request.'),
  idle: duration({ leastMs: 100, mostMs: 86_400_000 }).prefault('60s').describe('How long a connection may be silent.'),
  answer: duration({ leastMs: 100, mostMs: 86_400_000 })
    .prefault('60s')
    .describe('Longest wait for an instance’s answer to begin.'),
}).meta({ id: 'ProxyLimits' });

const embedded = settings({
  listen: listenAddress('0.0.0.0', 8080).describe(
    'Where users reach the service: a port (on all addresses of the machine), or `host:port`.',
  ),
  preview: listenAddress('127.0.0.1', 8081)
    .optional()
    .describe(
      'Where the release on trial can be seen before it has traffic: a port (on 127.0.0.1 only), or `host:port`.',
    ),
  tls: tls.optional().describe('Terminates TLS with this certificate, which is read again when it changes.'),
  limits: limits.prefault({}).describe('Limits of the built-in proxy.'),
  trustForwarded: flag()
    .prefault(false)
    .describe(
      'Believe `Forwarded` and `X-Forwarded-*` of whoever connects. Only for a proxy that stands behind another one.',
    ),
}).meta({ id: 'EmbeddedRouter' });

export const routerSchema = oneKind(
  'router',
  {
    embedded: embedded.describe('The built-in proxy, a process of its own on this machine.'),
    haproxy: haproxySchema.describe('A HAProxy of yours.'),
    nginx: nginx.describe('An NGINX that is there already, 1.18 or newer.'),
  },
  '{ embedded: { listen: 8080 } }',
).meta({ id: 'Router' });
