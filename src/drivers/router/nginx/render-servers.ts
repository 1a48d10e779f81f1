// The server blocks of a scope: users' address, preview address, and the paths by which Sluice asks.

import type { Address } from '../../../core/instance.ts';
import { ownName } from './names.ts';
import { quoted } from './quote.ts';
import type { Part } from './render.ts';
import { tableLevels } from './table.ts';

/** Statuses by which a location hands over to another; no client ever sees them. */
const handOver = { closing: 418, upgraded: 419 } as const;
/** WebSockets may be silent for as long as they like. */
const silentForever = '365d';
/** How long connecting to an instance may take. */
const connectMs = 2_000;
/** For how long after a request came another instance may be asked: after one connection timed out, not after two. */
const nextMs = 3_000;

export function servers(part: Part): readonly string[] {
  const { spec, model, prefix } = part;
  const share = [
    `  set $${prefix}_class share;`,
    ...(model.sticky === undefined ? [] : ifThere(part, 'keep', `$${prefix}_visitor`)),
    // The first rule that matches counts, so the first comes last.
    ...model.rules
      .map((_, index) => ifThere(part, 'rule', `$${prefix}_rule${index}`))
      .reverse()
      .flat(),
  ];
  return [
    ...server(part, spec.listen, spec.tls !== undefined, share),
    ...(spec.preview === undefined ? [] : server(part, spec.preview, false, [`  set $${prefix}_class preview;`])),
  ];
}

function ifThere({ prefix, ...part }: Part, kind: 'keep' | 'rule', value: string): readonly string[] {
  return [
    `  if (-d ${quoted(`${now({ ...part, prefix })}/${kind}-on/${value}`)}) {`,
    `    set $${prefix}_class ${kind}/${value};`,
    '  }',
  ];
}

/** The link that is moved by one rename. */
function now({ directory, model }: Part): string {
  return `${directory}/g${model.generation}/now`;
}

function server(part: Part, address: Address, tls: boolean, choose: readonly string[]): readonly string[] {
  const { prefix, spec, model, directory } = part;
  const syslog = `syslog:server=${bracketed(spec.feedHost)}:${model.feedPort},tag=sluice,nohostname`;
  const names = [...(model.withdrawn === true ? [] : [spec.serverName]), ownName(model.askToken)].join(' ');
  return [
    'server {',
    `  listen ${listenOn(address)}${tls ? ' ssl' : ''};`,
    `  server_name ${spec.serverName === undefined ? '""' : names};`,
    ...(tls && spec.tls !== undefined
      ? [`  ssl_certificate ${quoted(spec.tls.certificate)};`, `  ssl_certificate_key ${quoted(spec.tls.key)};`]
      : []),
    `  root ${quoted(directory)};`,
    '  uninitialized_variable_warn off;',
    // What was looked up a minute ago is not what is in force, and everything looked up here leads through links.
    '  open_file_cache off;',
    '  disable_symlinks off;',
    `  access_log ${syslog} ${prefix} if=$${prefix}_told;`,
    ...(spec.accessLog === undefined ? [] : [`  access_log ${quoted(spec.accessLog)} combined;`]),
    '  client_max_body_size 0;',
    `  client_header_timeout ${spec.limits.idleMs}ms;`,
    `  client_body_timeout ${spec.limits.idleMs}ms;`,
    `  send_timeout ${spec.limits.idleMs}ms;`,
    `  keepalive_timeout ${spec.limits.idleMs}ms;`,
    '  keepalive_requests 100000;',
    `  large_client_header_buffers 8 ${spec.limits.headerBytes};`,
    '  proxy_intercept_errors off;',
    ...choose,
    // Nobody reads the feed: writing to a port where nobody listens would fill the error log.
    `  if (!-f ${quoted(`${directory}/feed`)}) {`,
    `    set $${prefix}_quiet 1;`,
    '  }',
    ...asked(part),
    ...location(part, '/', [
      `    if ($${prefix}_slot = "") {`,
      '      return 503 "No instance of this service can be reached.\\n";',
      '    }',
      `    if ($${prefix}_upgrade) {`,
      `      return ${handOver.upgraded};`,
      '    }',
      `    if (-f ${quoted(`${directory}/g${model.generation}/closing`)}) {`,
      `      return ${handOver.closing};`,
      '    }',
      `    error_page ${handOver.upgraded} = @${prefix}_upgraded;`,
      `    error_page ${handOver.closing} = @${prefix}_closing;`,
    ]),
    ...location(part, `@${prefix}_upgraded`, [
      `    proxy_read_timeout ${silentForever};`,
      `    proxy_send_timeout ${silentForever};`,
    ]),
    ...location(part, `@${prefix}_closing`, ['    keepalive_timeout 0;']),
    '}',
    '',
  ];
}

/** Where Sluice asks which include is in force, which table, and how many requests there were. */
function asked(part: Part): readonly string[] {
  const { model } = part;
  return [
    `  location = /.sluice-${model.askToken}/generation {`,
    `    root ${quoted(now(part))};`,
    '    default_type text/plain;',
    '    keepalive_timeout 0;',
    `    return 200 "sluice ${model.generation} $pid $realpath_root\\n";`,
    '  }',
    `  location = /.sluice-${model.askToken}/status {`,
    '    keepalive_timeout 0;',
    '    stub_status;',
    '  }',
  ];
}

function location(part: Part, name: string, special: readonly string[]): readonly string[] {
  const { prefix, spec, model } = part;
  const bucket = Array.from({ length: tableLevels }, (_, level) => `/$${prefix}_d${level}`).join('');
  return [
    `  location ${name} {`,
    `    root ${quoted(`${now(part)}/$${prefix}_class${bucket}`)};`,
    ...special,
    `    proxy_pass http://${prefix}_$${prefix}_slot;`,
    '    proxy_http_version 1.1;',
    `    proxy_set_header Host $${prefix}_host;`,
    `    proxy_set_header Upgrade $${prefix}_upgrade;`,
    `    proxy_set_header Connection $${prefix}_connection;`,
    ...forwarded(part),
    // Bodies stream both ways at the pace of the slower side.
    '    proxy_buffering off;',
    '    proxy_request_buffering off;',
    `    proxy_buffer_size ${spec.limits.headerBytes};`,
    `    proxy_buffers 8 ${spec.limits.headerBytes};`,
    `    proxy_connect_timeout ${connectMs}ms;`,
    ...(name === `@${prefix}_upgraded`
      ? []
      : [`    proxy_read_timeout ${spec.limits.answerMs}ms;`, `    proxy_send_timeout ${spec.limits.idleMs}ms;`]),
    ...nextServer(spec.limits.answerMs),
    '    proxy_redirect off;',
    ...(model.sticky === undefined ? [] : [`    add_header Set-Cookie $${prefix}_cookie always;`]),
    '  }',
  ];
}

/**
 * Another server of the set is asked when this one cannot be reached. NGINX calls a silent address and a late answer both a timeout;
 * only the time since the request came tells them apart, and a late answer must not let a second instance do the work again.
 */
function nextServer(answerMs: number): readonly string[] {
  if (answerMs <= nextMs) return ['    proxy_next_upstream error;'];
  return ['    proxy_next_upstream error timeout;', `    proxy_next_upstream_timeout ${nextMs}ms;`];
}

function forwarded({ prefix, spec }: Part): readonly string[] {
  if (spec.trustForwarded) return ['    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;'];
  return [
    '    proxy_set_header X-Forwarded-For $remote_addr;',
    '    proxy_set_header X-Forwarded-Proto $scheme;',
    `    proxy_set_header X-Forwarded-Host $${prefix}_host;`,
    '    proxy_set_header X-Real-IP $remote_addr;',
    '    proxy_set_header Forwarded "";',
  ];
}

function listenOn({ host, port }: Address): string {
  return host === '0.0.0.0' ? String(port) : `${bracketed(host)}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
