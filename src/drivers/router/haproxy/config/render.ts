// Renders a scope's part of HAProxy's configuration and its map: pure, from the layout and what is to be in force when HAProxy starts with it.

import { addressName } from '../../../../core/instance.ts';
import type { Scope } from '../../../../core/scope.ts';
import { scopeName } from '../../../../core/scope.ts';
import type { Layout, RuleName } from './layout.ts';
import { backendName, proxyName, serverName, slotNames } from './names.ts';
import {
  decidingKey,
  decidingLine,
  headFields,
  recordEntries,
  ruleFields,
  type RoutesRecord,
  slotFields,
} from './record.ts';

export interface Rendered {
  readonly config: string;
  readonly map: string;
}

/** `mapPath`: the map's file as HAProxy sees it. */
export function render(layout: Layout, record: RoutesRecord, mapPath: string): Rendered {
  const { scope } = record.routes;
  const slots = slotNames(layout.slots);
  const config = [
    layoutLine(layout),
    ...introduction(scope),
    ...defaultsSection(scope, layout),
    ...frontendSection(scope, layout, mapPath),
    ...slots.flatMap((slot, index) => backendSection(slot, index, layout, record)),
  ];
  const entries = [...mapEntries(record, layout)].map(([key, value]) => `${key} ${value}`);
  return { config: `${config.join('\n')}\n`, map: `${entries.join('\n')}\n` };
}

/** Everything that the map holds for these routes. */
export function mapEntries(record: RoutesRecord, layout: Layout): ReadonlyMap<string, string> {
  return new Map([
    [decidingKey, decidingLine(record, layout, false)],
    ...seatEntries(record),
    ...recordEntries(record),
  ]);
}

/** Which instance sits in which server, for the log. */
export function seatEntries(record: RoutesRecord): ReadonlyMap<string, string> {
  return new Map(
    [...record.left, ...record.seats].map(({ slot, index, instance }) => [
      serverName(slot, index),
      Buffer.from(instance).toString('base64url'),
    ]),
  );
}

const layoutMark = '# layout ';

function layoutLine(layout: Layout): string {
  return `${layoutMark}${JSON.stringify(layout)}`;
}

/** The JSON of the layout that a configuration was rendered from; undefined where it has none. */
export function layoutTextIn(config: string): string | undefined {
  const line = config.slice(0, config.indexOf('\n'));
  return line.startsWith(layoutMark) ? line.slice(layoutMark.length) : undefined;
}

function introduction(scope: Scope): readonly string[] {
  return [
    `# ${scopeName(scope)}: written by Sluice, and written anew with each change of its routes. Do not edit.`,
    '# What is below is what HAProxy serves when it is started or reloaded; between reloads Sluice moves traffic over the Runtime API.',
    '',
  ];
}

function defaultsSection(scope: Scope, layout: Layout): readonly string[] {
  return [
    `defaults ${proxyName(scope)}`,
    '  mode http',
    `  timeout client ${layout.idleMs}ms`,
    `  timeout http-request ${layout.idleMs}ms`,
    `  timeout http-keep-alive ${layout.idleMs}ms`,
    `  timeout server ${layout.answerMs}ms`,
    '  timeout connect 2s',
    '  timeout queue 2s',
    '  timeout tunnel 24h',
    '  # In the frontend as well: otherwise a client that goes away is not noticed while its answer is waited for.',
    '  option abortonclose',
    '',
  ];
}

function frontendSection(scope: Scope, layout: Layout, mapPath: string): readonly string[] {
  const slots = slotNames(layout.slots);
  const to = (variable: string, value: string, when = ''): string =>
    `  http-request set-var(txn.sluice_${variable}) ${value}${when === '' ? '' : ` if ${when}`}`;
  const field = (number: number): string => `var(txn.sluice_line),field(${number},:)`;
  const undecided = '!{ var(txn.sluice_slot) -m found }';
  const ifSet = (variable: string): string =>
    `{ var(txn.sluice_${variable}) -m found } !{ var(txn.sluice_${variable}) -m str -- - }`;
  return [
    `frontend ${proxyName(scope)} from ${proxyName(scope)}`,
    `  bind ${addressName(layout.listen)} name listen`,
    ...(layout.preview === undefined ? [] : [`  bind ${addressName(layout.preview)} name preview`]),
    `  log ${addressName(layout.feed)} len 1024 format raw local0 info`,
    `  log-format "${logFormat(layout, mapPath)}"`,
    '  # All that decides about a request is one line of the map, so that it is of one revision.',
    to('began', 'date(0,us)'),
    to('line', `str(${decidingKey}),map_str(${mapPath})`),
    to('slot', field(6), '{ so_name preview }'),
    to('via', 'str(preview)', '{ so_name preview }'),
    ...layout.rules.flatMap((rule, index) => {
      const first = headFields + slotFields * layout.slots + ruleFields * index + 1;
      return [
        to('hash', field(first)),
        to('slot', field(first + 1), `${undecided} { ${fetchOf(rule)},sha1,hex,strcmp(txn.sluice_hash) eq 0 }`),
      ];
    }),
    to('via', 'str(rule)', `{ var(txn.sluice_slot) -m found } !{ var(txn.sluice_via) -m found }`),
    ...(layout.cookie === undefined
      ? []
      : [
          to('kept', `req.cook(${layout.cookie})`),
          ...slots.flatMap((slot, index) => [
            to('cookie', field(headFields + slotFields * index + 2)),
            to(
              'slot',
              `str(${slot})`,
              `${undecided} ${ifSet('cookie')} { var(txn.sluice_kept),strcmp(txn.sluice_cookie) eq 0 }`,
            ),
          ]),
          to('via', 'str(sticky)', `{ var(txn.sluice_slot) -m found } !{ var(txn.sluice_via) -m found }`),
        ]),
    to('dice', 'rand(10000)'),
    ...slots.flatMap((slot, index) => [
      to('share', field(headFields + slotFields * index + 1)),
      to('slot', `str(${slot})`, `${undecided} { var(txn.sluice_dice),sub(txn.sluice_share) lt 0 }`),
    ]),
    to('via', 'str(share)', `!{ var(txn.sluice_via) -m found }`),
    '  # Connections are asked to close before a reload, so that it breaks none.',
    `  http-request set-var(txn.sluice_closing) ${field(4)}`,
    // An upgrade is no more one without its own `Connection`.
    '  http-after-response set-header Connection close if { var(txn.sluice_closing) -m str 1 } !{ status 101 }',
    ...identityFields(layout),
    '  http-request return status 503 content-type text/plain string "No release can serve this request." if !{ var(txn.sluice_slot) -m found } || { var(txn.sluice_slot) -m str -- - }',
    ...slots.map((slot) => `  use_backend ${backendName(scope, slot)} if { var(txn.sluice_slot) -m str ${slot} }`),
    '',
  ];
}

/** What `feed/log-line.ts` reads. Names are in base64url, so that no space or quote of theirs breaks the line. */
function logFormat(layout: Layout, mapPath: string): string {
  return [
    'sluice1',
    layout.feedToken,
    '%[date(0,ms)]',
    '%[var(txn.sluice_release)]',
    `%[srv_name,map_str(${mapPath})]`,
    '%ST',
    '%ts',
    '%[var(txn.sluice_switched)]',
    '%[date(0,us),sub(txn.sluice_began)]',
    '%[var(txn.sluice_via)]',
  ].join(' ');
}

/** Every value of the header as a whole: commas do not part it. */
function fetchOf(rule: RuleName): string {
  return 'header' in rule ? `req.fhdr(${rule.header})` : `req.cook(${rule.cookie})`;
}

/** Who the client is says the connection, unless another proxy stands before this one. */
function identityFields({ trustForwarded }: Layout): readonly string[] {
  if (trustForwarded) return ['  option forwardfor'];
  return [
    '  http-request del-header ^x[-_]forwarded[-_] -m reg',
    '  http-request del-header ^(forwarded|x[-_]real[-_]ip)$ -m reg',
    '  http-request set-header X-Forwarded-For %[src]',
    '  http-request set-header X-Forwarded-Proto http',
    '  http-request set-header X-Forwarded-Host %[req.hdr(host)]',
  ];
}

function backendSection(slot: string, slotIndex: number, layout: Layout, record: RoutesRecord): readonly string[] {
  const { scope } = record.routes;
  const field = (number: number): string =>
    `var(txn.sluice_line),field(${headFields + slotFields * slotIndex + number},:)`;
  const seats = new Map(record.seats.filter((seat) => seat.slot === slot).map((seat) => [seat.index, seat]));
  const cookie = `${layout.cookie}=%[var(txn.sluice_cookie)]; Path=/; Max-Age=%[var(txn.sluice_line),field(5,:)]; HttpOnly; SameSite=Lax`;
  return [
    `backend ${backendName(scope, slot)} from ${proxyName(scope)}`,
    '  balance roundrobin',
    '  # Another instance is tried only where nothing was sent.',
    '  retries 3',
    '  retry-on conn-failure',
    '  option redispatch 1',
    `  http-request set-var(txn.sluice_release) ${field(3)}`,
    '  http-response set-var(txn.sluice_switched) date(0,us),sub(txn.sluice_began) if { status 101 }',
    ...(layout.cookie === undefined
      ? []
      : [
          `  http-request set-var(txn.sluice_cookie) ${field(2)}`,
          `  http-response add-header Set-Cookie "${cookie}" if { var(txn.sluice_via) -m str share } !{ var(txn.sluice_cookie) -m str -- - }`,
        ]),
    '  # Each time, half of the idle connections that traffic does not need are closed: well before an instance would, because a request over',
    '  # a connection that is just being closed is lost.',
    '  default-server check inter 1s fastinter 500ms fall 2 rise 1 observe layer4 error-limit 3 on-error mark-down pool-purge-delay 250ms',
    ...Array.from({ length: layout.servers }, (_, at) => {
      const seat = seats.get(at + 1);
      const name = serverName(slot, at + 1);
      return seat === undefined
        ? `  server ${name} ${unusedAddress} disabled`
        : `  server ${name} ${addressName(seat.address)}`;
    }),
    '',
  ];
}

/** HAProxy wants an address even for a server that is not in use. */
const unusedAddress = '127.0.0.1:1';
