// The variables of a scope: buckets, rules, cookie, and what the log says. All are worked out only where they are used.

import type { RouteMatch } from '../../../core/routes.ts';
import { exactly, quoted } from './quote.ts';
import type { Part } from './render.ts';
import { tableLevels } from './table.ts';

export function maps(part: Part): readonly string[] {
  return [...keyMap(part), ...buckets(part), ...visitor(part), ...rules(part), ...place(part), ...log(part)];
}

/** Another one for each request. `$request_id` would be too, but is worked out by cryptography. */
const eachRequest = '$pid-$connection-$connection_requests';

function keyMap({ prefix, spec: { by } }: Part): readonly string[] {
  if (by.kind === 'request') return map('$connection', `${prefix}_key`, [['default', eachRequest]]);
  if (by.kind === 'address') return map('$remote_addr', `${prefix}_key`, [['default', '$remote_addr']]);
  if (by.kind === 'cookie') {
    const pattern = quoted(`~${beforeCookie(by.name)}(?<${prefix}_by>[^;]+)`);
    return map('$http_cookie', `${prefix}_key`, [
      ['default', eachRequest],
      [pattern, `$${prefix}_by`],
    ]);
  }
  const header = headerVariable(by.name);
  return map(header, `${prefix}_key`, [
    ['default', header],
    ['""', eachRequest],
  ]);
}

function buckets({ prefix }: Part): readonly string[] {
  return Array.from({ length: tableLevels }, (_, level) => [
    `split_clients "${level}\${${prefix}_key}" $${prefix}_d${level} {`,
    ...Array.from({ length: 9 }, (_, digit) => `  10% ${digit};`),
    '  * 9;',
    '}',
    '',
  ]).flat();
}

function visitor({ prefix, model: { sticky } }: Part): readonly string[] {
  if (sticky === undefined) return [];
  const value = `(?<${prefix}_kept>[0-9a-f]{16})`;
  const seconds = Math.max(1, Math.round(sticky.maxAgeMs / 1000));
  return [
    ...map('$http_cookie', `${prefix}_visitor`, [
      ['default', 'none'],
      [quoted(`~${beforeCookie(sticky.cookie)}"?${value}"?\\s*(?:;|$)`), `$${prefix}_kept`],
    ]),
    ...map('$scheme', `${prefix}_secure`, [
      ['default', '""'],
      ['https', '"; Secure"'],
    ]),
    ...map('$realpath_root', `${prefix}_cookie`, [
      ['default', '""'],
      [
        quoted(`~/to/\\d+-(?<${prefix}_token>[0-9a-f]{16})-keep$`),
        quoted(
          `${sticky.cookie}=$${prefix}_token; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax$${prefix}_secure`,
        ),
      ],
    ]),
  ];
}

function rules({ prefix, model }: Part): readonly string[] {
  return model.rules.flatMap((match, index) =>
    map('header' in match ? headerVariable(match.header) : '$http_cookie', `${prefix}_rule${index}`, [
      ['default', 'none'],
      [quoted(`~${pattern(match)}`), String(index)],
    ]),
  );
}

function pattern(match: RouteMatch): string {
  if ('header' in match) return `^${exactly(match.equals)}$`;
  return `${beforeCookie(match.cookie)}"?${exactly(match.equals)}"?\\s*(?:;|$)`;
}

/** Everything of a Cookie header up to the first cookie of this name. */
function beforeCookie(name: string): string {
  const own = exactly(name);
  return `^(?:(?!\\s*${own}\\s*=)[^;]*;)*\\s*${own}\\s*=\\s*`;
}

/** Which set of servers, out of where the links of the table lead. */
function place({ prefix, model }: Part): readonly string[] {
  return [
    ...map('$realpath_root', `${prefix}_slot`, [
      ['default', '""'],
      ...model.slots.map(({ id }): readonly [string, string] => [
        quoted(`~/to/${id}-[0-9a-f]{16}(?:-keep)?$`),
        String(id),
      ]),
    ]),
    // Anything else that a client asks to upgrade to, HTTP/2 above all, would get past what is decided here.
    ...map('$http_upgrade', `${prefix}_upgrade`, [
      ['default', '""'],
      ['~*^websocket$', 'websocket'],
    ]),
    ...map(`$${prefix}_upgrade`, `${prefix}_connection`, [
      ['default', 'upgrade'],
      ['""', '""'],
    ]),
    ...map('$http_host', `${prefix}_host`, [
      ['default', '$http_host'],
      ['""', '$host'],
    ]),
  ];
}

function log({ prefix, model }: Part): readonly string[] {
  const fields = [
    'sluice1',
    model.feedToken,
    '${msec}s',
    `$${prefix}_place`,
    `$${prefix}_server`,
    '$status',
    `\${${prefix}_seconds}s`,
    `$${prefix}_via`,
    `$${prefix}_origin`,
  ];
  return [
    ...map(`$${prefix}_slot`, `${prefix}_place`, [
      ['default', `$${prefix}_slot`],
      ['""', '-'],
    ]),
    // The last one that was asked, where there were several.
    ...map('$upstream_addr', `${prefix}_server`, [
      ['default', '-'],
      [quoted(`~(?<${prefix}_last>[^\\s,]+)$`), `$${prefix}_last`],
    ]),
    ...map('$upstream_header_time', `${prefix}_headed`, [
      ['default', '-'],
      [quoted(`~(?<${prefix}_head>[0-9.]+)$`), `$${prefix}_head`],
    ]),
    ...map('$status', `${prefix}_seconds`, [
      ['default', '$request_time'],
      ['101', `$${prefix}_headed`],
    ]),
    ...map(`$${prefix}_class`, `${prefix}_via`, [
      ['default', 'share'],
      ['~^keep/', 'sticky'],
      ['~^rule/', 'rule'],
      ['preview', 'preview'],
    ]),
    ...map(`$${prefix}_headed`, `${prefix}_origin`, [
      ['default', 'instance'],
      ['"-"', 'router'],
    ]),
    // Requests that are refused before anything is looked up are told of as well.
    ...map(`$${prefix}_quiet`, `${prefix}_told`, [
      ['default', '1'],
      ['1', '0'],
    ]),
    `log_format ${prefix} '${fields.join(' ')}';`,
    '',
  ];
}

function map(source: string, name: string, rows: readonly (readonly [string, string])[]): readonly string[] {
  return [`map ${source} $${name} {`, ...rows.map(([from, to]) => `  ${from} ${to};`), '}', ''];
}

/** `x-canary` to `$http_x_canary`. */
function headerVariable(name: string): string {
  return `$http_${name.toLowerCase().replaceAll('-', '_')}`;
}
