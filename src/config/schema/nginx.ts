// `router.nginx`: how Sluice reaches an NGINX that is there already, and what it lets it serve.

import type * as z from 'zod';
import { words } from '../words.ts';
import { listenAddress, remoteAddress } from './address.ts';
import { choice, settings } from './settings.ts';
import { command, duration, flag, size, text } from './values.ts';

/** A path that means the same in NGINX's configuration: no variable, no quote, nothing that ends a word. */
function plainPath(example: string) {
  return text(example).refine((path) => !/[\s"'$;{}\\*?[\]#]/.test(path), {
    error: words(
      'is no path that can stand in a configuration of NGINX',
      'Use a path without blanks and special characters.',
    ),
  });
}

const hostName = /^[A-Za-z0-9*~_.-]{1,253}(?: [A-Za-z0-9*~_.-]{1,253}){0,31}$/;

const fieldName = (example: string) =>
  text(example, 128).refine((name) => /^[A-Za-z0-9-]+$/.test(name), {
    error: words('is no name of a header that NGINX can look at', 'Write letters, digits and dashes.'),
  });

const cookieName = (example: string) =>
  text(example, 128).refine((name) => /^[A-Za-z0-9_-]+$/.test(name), {
    error: words('is no name of a cookie that NGINX can look at', 'Write letters, digits, dashes and underscores.'),
  });

const by = choice('key', 'request', {
  request: settings({}).describe('Each request by itself.').meta({ id: 'ByRequest' }),
  address: settings({}).describe('All requests of one client address alike.').meta({ id: 'ByAddress' }),
  header: settings({ name: fieldName('x-user').describe('Its name.') })
    .describe('All requests with the same value of this header alike; those without it each by itself.')
    .meta({ id: 'ByHeader' }),
  cookie: settings({ name: cookieName('session').describe('Its name.') })
    .describe('All requests with the same value of this cookie alike; those without it each by itself.')
    .meta({ id: 'ByCookie' }),
}).meta({ id: 'BucketKey' });

const commands = settings({
  test: command().optional().describe('Tests the configuration; by default `nginx -t`.'),
  reload: command()
    .optional()
    .describe(
      'Has NGINX read its configuration again, such as `systemctl reload nginx`; by default `nginx -s reload`.',
    ),
}).meta({ id: 'NginxCommands' });

const tls = settings({
  certificate: plainPath('/etc/ssl/shop/chain.pem').describe('Certificate chain as a PEM file, relative to this file.'),
  key: plainPath('/etc/ssl/shop/key.pem').describe('Its private key as a PEM file.'),
}).meta({ id: 'NginxTls' });

const limits = settings({
  header: size({ least: '1KiB', most: '1MiB' }).prefault('16KiB').describe('Largest line in the head of a request.'),
  idle: duration({ leastMs: 1000, mostMs: 86_400_000 })
    .prefault('60s')
    .describe('How long a connection may be silent.'),
  answer: duration({ leastMs: 100, mostMs: 86_400_000 })
    .prefault('60s')
    .describe('Longest silence of an instance before its answer and within it.'),
}).meta({ id: 'NginxLimits' });

export const nginx = settings({
  listen: listenAddress('0.0.0.0', 8080).describe('Where users reach the service: a port, or `host:port`.'),
  preview: listenAddress('127.0.0.1', 8081)
    .optional()
    .describe(
      'Where the release on trial can be seen before it has traffic: a port (on 127.0.0.1 only), or `host:port`.',
    ),
  include: plainPath('/etc/nginx/conf.d/shop.conf').describe(
    'The file that Sluice writes, in a directory that `http { … }` of NGINX includes. Its tables lie in a hidden directory beside it.',
  ),
  serverName: text('shop.example.org', 4096)
    .refine((name) => hostName.test(name), {
      error: words('is no name of a server', 'Write names parted by single spaces, such as shop.example.org.'),
    })
    .optional()
    .describe('Names of the service, where other servers of the same NGINX listen at its address too.'),
  tls: tls.optional().describe('NGINX terminates TLS with this certificate.'),
  program: command()
    .prefault('nginx')
    .describe('NGINX’s program, with the options by which it finds its configuration: `nginx -c /srv/nginx.conf`.'),
  container: text('edge')
    .refine((name) => /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name), {
      error: words('is no name of a container', 'Write its name or id.'),
    })
    .optional()
    .describe('The container that NGINX runs in; it is reached by `docker exec`.'),
  includeInside: plainPath('/etc/nginx/conf.d/shop.conf')
    .optional()
    .describe('The path of `include` inside that container, where its directory is mounted at another path.'),
  reachAt: remoteAddress('127.0.0.1:8080')
    .optional()
    .describe('Where this machine reaches `listen`, when that is a port inside a container.'),
  pidFile: plainPath('/run/nginx.pid')
    .optional()
    .describe('Sends NGINX a signal for a reload instead of calling its program.'),
  commands: commands.optional().describe('Commands of your own in place of Sluice’s.'),
  by: by.prefault('request').describe('What decides together on which release requests go.'),
  accessLog: plainPath('/var/log/nginx/shop.log')
    .optional()
    .describe('A log of requests in NGINX’s `combined` format. Without it there is none but the feed.'),
  feedHost: text('127.0.0.1')
    .refine((host) => /^[0-9A-Fa-f.:]+$/.test(host), {
      error: words('is no IP address', 'Write an address of this machine that NGINX reaches, such as 127.0.0.1.'),
    })
    .prefault('127.0.0.1')
    .describe('The address of this machine that NGINX sends its feed to.'),
  limits: limits.prefault({}).describe('Limits of requests.'),
  trustForwarded: flag()
    .prefault(false)
    .describe(
      'Pass on `Forwarded` and `X-Forwarded-*` of whoever connects. Only for an NGINX that stands behind another proxy.',
    ),
}).meta({ id: 'NginxRouter' });

export type NginxSettings = z.output<typeof nginx>;
