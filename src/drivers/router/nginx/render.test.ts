import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import { includes, isAlone, filesOf, listensElsewhere, mainDirective } from './dump.ts';
import { connectionsTo } from './connections.ts';
import { fitModel, type Model, modelSchema } from './model.ts';
import { prefixOf } from './names.ts';
import { exactly, quoted } from './quote.ts';
import { modelText, render } from './render.ts';

const scope = { service: 'shop', environment: 'live' };
const spec: NginxRouterSpec = {
  driver: 'nginx',
  listen: { host: '0.0.0.0', port: 8080 },
  include: '/etc/nginx/conf.d/shop.conf',
  program: ['nginx'],
  by: { kind: 'request' },
  feedHost: '127.0.0.1',
  limits: { headerBytes: 16_384, idleMs: 60_000, answerMs: 60_000 },
  trustForwarded: false,
};
const model: Model = {
  version: 1,
  scope,
  generation: 7,
  askToken: 'a'.repeat(32),
  feedToken: 'b'.repeat(32),
  feedPort: 32_000,
  slots: [{ id: 3, servers: ['127.0.0.1:20000', '[::1]:20001'] }],
  rules: [],
};
const text = (changes: Partial<Model> = {}, more: Partial<NginxRouterSpec> = {}): string =>
  render({ scope, spec: { ...spec, ...more }, model: { ...model, ...changes }, directory: '/d' });

describe('the include', () => {
  it('has one upstream per set of servers, with the connections kept and failures shared', () => {
    assert.ok(
      text().includes(`upstream ${prefixOf(scope)}_3 {
  zone ${prefixOf(scope)}_3 72k;
  server 127.0.0.1:20000 max_fails=2 fail_timeout=1s;
  server [::1]:20001 max_fails=2 fail_timeout=1s;
  keepalive 64;`),
    );
  });

  it('has names that no other scope has', () => {
    const of = (service: string, environment: string): string => prefixOf({ service, environment });
    assert.equal(new Set([of('a', 'b-c'), of('a-b', 'c'), of('a--b', 'c'), of('a', 'b--c')]).size, 4);
  });

  it('carries its model', () => {
    const cookie = { cookie: 'line "one"\n# sluice model {}', equals: '}' };
    const written = text({ rules: [cookie] });
    assert.deepEqual(modelSchema.parse(JSON.parse(modelText(written) ?? '')), { ...model, rules: [cookie] });
    assert.equal(modelText('server {}'), undefined);
  });

  it('has no line that is too long for NGINX, whatever characters are in it', () => {
    const rules = Array.from({ length: 20 }, () => ({ header: 'x-a', equals: '€😀'.repeat(100) }));
    const written = text({ rules, slots: [{ id: 3, servers: Array.from({ length: 500 }, (_, at) => `[::1]:${at}`) }] });
    assert.ok(written.split('\n').every((line) => Buffer.byteLength(line) < 4096));
    assert.deepEqual(modelSchema.parse(JSON.parse(modelText(written) ?? '')).rules, rules);
  });

  it('lets no text of others become configuration', () => {
    const bad = '"; } server { listen 1; } $host \\ \n';
    const written = text({ rules: [{ header: 'x-a', equals: bad }] });
    assert.ok(!written.replace(/^# sluice model .*$/gm, '').includes('listen 1;'));
    assert.equal(exactly('a b"$'), String.raw`a\x20b\x22\x24`);
    assert.equal(quoted('a"b\\c'), String.raw`"a\"b\\c"`);
  });

  it('listens as it is told', () => {
    assert.match(text(), /^ {2}listen 8080;$/m);
    const tls = { certificate: '/c.pem', key: '/k.pem' };
    const preview = { host: '127.0.0.1', port: 8081 };
    const written = text({}, { listen: { host: '::1', port: 443 }, tls, preview, serverName: 'a b' });
    assert.match(written, /^ {2}listen \[::1\]:443 ssl;$/m);
    assert.match(written, /^ {2}listen 127.0.0.1:8081;$/m);
    assert.match(written, /^ {2}server_name a b [0-9a-f]{16}\.sluice;$/m);
    const withdrawn = text({ withdrawn: true }, { serverName: 'a b' });
    assert.match(withdrawn, /^ {2}server_name [0-9a-f]{16}\.sluice;$/m);
  });

  it('changes only where routes need what it does not have', () => {
    const endpoints = [
      { instance: 'b', address: { host: '::1', port: 20_001 } },
      { instance: 'a', address: { host: '127.0.0.1', port: 20_000 } },
    ];
    const routes = { scope, revision: 1, groups: [{ release: 'r', share: 10_000, endpoints }], rules: [] };
    assert.equal(fitModel(model, routes, false), model);
    assert.equal(fitModel(model, { ...routes, groups: [] }, false), model);
    const other = fitModel(
      model,
      { ...routes, groups: [{ release: 'r', share: 10_000, endpoints: endpoints.slice(1) }] },
      false,
    );
    assert.deepEqual(
      other.slots.map(({ id }) => id),
      [1, 3],
    );
  });

  it('forgets the sets that were used longest ago', () => {
    let latest: Model = { ...model, slots: [] };
    for (let port = 1; port <= 30; port++) {
      const endpoints = [{ instance: 'a', address: { host: '127.0.0.1', port } }];
      const groups = [{ release: 'r', share: 10_000, endpoints }];
      latest = fitModel(latest, { scope, revision: port, groups, rules: [] }, false);
    }
    assert.equal(latest.slots.length, 12);
    assert.equal(new Set(latest.slots.map(({ id }) => id)).size, 12);
    assert.deepEqual(latest.slots[0]?.servers, ['127.0.0.1:30']);
  });
});

describe('what nginx -T says', () => {
  const dump = `# configuration file /etc/nginx/nginx.conf:
pid /run/nginx.pid; # include /not/this/*.conf;
error_log /var/log/nginx/error.log warn;
http { include conf.d/*.conf; include "/srv/one.conf"; }
# configuration file /etc/nginx/conf.d/other.conf:
server { listen 127.0.0.1:8080 default_server; }
# configuration file /etc/nginx/conf.d/shop.conf:
server { listen 9090; }
`;
  const files = filesOf(dump);

  it('tells which files are included, or will be', () => {
    for (const path of ['/etc/nginx/conf.d/shop.conf', '/etc/nginx/conf.d/new.conf', '/srv/one.conf'])
      assert.ok(includes(files, path), path);
    for (const path of ['/etc/nginx/conf.d/a/b.conf', '/not/this/a.conf', '/etc/nginx/conf.d/.hidden.txt'])
      assert.ok(!includes(files, path), path);
  });

  it('tells of other servers', () => {
    assert.ok(listensElsewhere(files, '/etc/nginx/conf.d/shop.conf', 8080));
    assert.ok(!listensElsewhere(files, '/etc/nginx/conf.d/shop.conf', 9090));
    assert.ok(!isAlone(files, '/etc/nginx/conf.d/shop.conf'));
    assert.ok(
      isAlone(
        files.filter(({ path }) => !path.includes('other')),
        '/etc/nginx/conf.d/shop.conf',
      ),
    );
    assert.equal(mainDirective(files, 'pid'), '/run/nginx.pid');
    assert.equal(mainDirective(files, 'error_log'), '/var/log/nginx/error.log');
    assert.equal(mainDirective(files, 'user'), undefined);
  });
});

it('connections are told by the addresses in the tables of the kernel', () => {
  const row = (remote: string, state: string, user: number, inode: number): string =>
    `   1: 0100007F:A551 ${remote} ${state} 00000000:00000000 00:00000000 00000000 ${user} 0 ${inode} 1 0 100`;
  const tables = [
    row('0100007F:4E20', '01', 33, 1),
    row('0100007F:4E20', '06', 33, 2),
    row('0100007F:4E20', '01', 0, 3),
    row('0100007F:4E21', '01', 33, 4),
    row('0000000000000000FFFF00000100007F:4E20', '01', 33, 5),
    row('00000000000000000000000001000000:4E20', '01', 33, 6),
  ].join('\n');
  const of = (host: string, users?: ReadonlySet<number>): number =>
    connectionsTo([{ host, port: 20_000 }], tables, users).size;
  assert.deepEqual([of('127.0.0.1'), of('127.0.0.1', new Set([33])), of('::1'), of('10.0.0.1')], [3, 2, 1, 0]);
});
