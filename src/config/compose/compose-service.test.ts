import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerRun } from '../container-spec-schema.ts';
import { composeService, type ComposeInput } from './compose-service.ts';
import { fileWith, input, problemsOf } from './fixture.ts';

test('a whole file comes to what Compose would make of it', () => {
  const found = composeService(
    input(
      `
version: '3.8'
x-common: &common
  labels: { team: shop }
services:
  api:
    <<: *common
    image: registry.example/shop:\${TAG:-1.0}
    build: .
    command: serve --port 8080 "two words"
    entrypoint: ['/bin/tini', '--']
    user: 1000:1000
    working_dir: /app
    read_only: true
    init: true
    tty: 'false'
    restart: unless-stopped
    profiles: [web]
    stop_signal: SIGQUIT
    stop_grace_period: 10s
    cap_add: [NET_BIND_SERVICE]
    cap_drop: [ALL]
    security_opt: ['no-new-privileges:true']
    group_add: [audio, 44]
    mem_limit: 512m
    mem_reservation: 256M
    memswap_limit: -1
    cpus: '1.5'
    cpu_shares: 512
    pids_limit: 100
    shm_size: 64mb
    ulimits: { nofile: { soft: 1024, hard: 2048 }, nproc: 100 }
    sysctls: ['net.core.somaxconn=1024']
    dns: 10.0.0.2
    dns_search: [example.org]
    extra_hosts: ['db:10.0.0.3', 'cache=10.0.0.4']
    tmpfs: ['/tmp', '/run:size=64m,mode=1777']
    ports: ['127.0.0.1:9000:8080/tcp']
    volumes:
      - ./config:/etc/shop:ro
      - data:/var/lib/shop
      - shared:/shared
      - /var/cache/shop
      - { type: bind, source: ./long, target: /long, read_only: true }
      - { type: volume, source: data, target: /data2, volume: {} }
      - { type: tmpfs, target: /fast, tmpfs: { size: 1k } }
    networks: { front: { priority: 10 }, back: { aliases: [shop] }, outside: {} }
    healthcheck:
      test: curl -f http://localhost:8080/
      interval: 1m30s
      timeout: 5s
      retries: 3
      start_period: 10s
    logging: { driver: json-file, options: { max-size: 10m, max-file: 3 } }
    secrets: [token, { source: key, target: /etc/key }]
    configs: [{ source: settings, target: /etc/settings.yml }]
    depends_on:
      db: { condition: service_healthy }
      cache: { condition: service_started, required: false }
      migrate: { condition: service_completed_successfully }
  db: { image: postgres, privileged: true }
  cache: { image: redis }
  migrate: { image: shop }
  worker: { image: shop, depends_on: [api] }
networks:
  front: {}
  back: { name: real-back }
  outside: { external: true }
volumes:
  data: {}
  shared: { external: true, name: real-shared }
secrets:
  token: { file: ./secrets/token }
  key: { file: /etc/ssl/key }
configs:
  settings: { file: ./settings.yml }
`,
      { environment: { TAG: '2.0' } },
    ),
  );
  assert.deepEqual(found, {
    project: 'myshop',
    service: 'api',
    image: 'registry.example/shop:2.0',
    command: ['serve', '--port', '8080', 'two words'],
    environment: {},
    user: '1000:1000',
    limits: { memoryBytes: 512 * 1024 ** 2 },
    port: 8080,
    names: ['api', 'shop'],
    neededBy: ['worker'],
    container: {
      entrypoint: ['/bin/tini', '--'],
      workingDirectory: '/app',
      labels: { team: 'shop' },
      networks: [
        { name: 'myshop_front', aliases: [] },
        { name: 'real-back', aliases: ['shop'] },
        { name: 'outside', aliases: [] },
      ],
      mounts: [
        { kind: 'bind', source: '/srv/My Shop/config', target: '/etc/shop', readOnly: true },
        { kind: 'volume', source: 'myshop_data', target: '/var/lib/shop', readOnly: false },
        { kind: 'volume', source: 'real-shared', target: '/shared', readOnly: false },
        { kind: 'volume', target: '/var/cache/shop', readOnly: false },
        { kind: 'bind', source: '/srv/My Shop/long', target: '/long', readOnly: true },
        { kind: 'volume', source: 'myshop_data', target: '/data2', readOnly: false },
        { kind: 'tmpfs', target: '/fast', readOnly: false, sizeBytes: 1024 },
        { kind: 'tmpfs', target: '/tmp', readOnly: false },
        { kind: 'tmpfs', target: '/run', readOnly: false, sizeBytes: 64 * 1024 ** 2, mode: 0o1777 },
        { kind: 'bind', source: '/srv/My Shop/secrets/token', target: '/run/secrets/token', readOnly: true },
        { kind: 'bind', source: '/etc/ssl/key', target: '/etc/key', readOnly: true },
        { kind: 'bind', source: '/srv/My Shop/settings.yml', target: '/etc/settings.yml', readOnly: true },
      ],
      noNewPrivileges: true,
      readOnly: true,
      capAdd: ['NET_BIND_SERVICE'],
      capDrop: ['ALL'],
      init: true,
      tty: false,
      groups: ['audio', '44'],
      milliCpus: 1500,
      cpuShares: 512,
      pids: 100,
      shmBytes: 64 * 1024 ** 2,
      memoryReservationBytes: 256 * 1024 ** 2,
      memorySwapBytes: -1,
      ulimits: [
        { name: 'nofile', soft: 1024, hard: 2048 },
        { name: 'nproc', soft: 100, hard: 100 },
      ],
      sysctls: { 'net.core.somaxconn': '1024' },
      dns: ['10.0.0.2'],
      dnsSearch: ['example.org'],
      hosts: ['db:10.0.0.3', 'cache:10.0.0.4'],
      stopSignal: 'SIGQUIT',
      log: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
      health: {
        test: ['CMD-SHELL', 'curl -f http://localhost:8080/'],
        intervalMs: 90_000,
        timeoutMs: 5_000,
        startPeriodMs: 10_000,
        retries: 3,
      },
      needs: [
        { project: 'myshop', service: 'db', condition: 'healthy' },
        { project: 'myshop', service: 'migrate', condition: 'completed' },
      ],
    },
  });
});

test('resources under deploy count where the older names are not used, and a service alone is on the default network', () => {
  const { container, limits } = composeService(
    input(
      fileWith(
        'deploy:\n  replicas: 1\n  resources:\n    limits: { cpus: "0.5", memory: 64M, pids: 20 }\n    reservations: { memory: 32M }',
      ),
    ),
  );
  assert.deepEqual(limits, { memoryBytes: 64 * 1024 ** 2 });
  assert.deepEqual(
    [container.milliCpus, container.pids, container.memoryReservationBytes, container.networks],
    [500, 20, 32 * 1024 ** 2, [{ name: 'myshop_default', aliases: [] }]],
  );
});

test('a resource of 0 is one of which nothing was said', () => {
  const { container, limits } = composeService(
    input(fileWith('cpus: 0\nmem_limit: 0\nmem_reservation: 0b\nmemswap_limit: 0\nshm_size: 0\ncpu_shares: 0')),
  );
  assert.deepEqual(limits, {});
  const { milliCpus, memoryReservationBytes, memorySwapBytes, shmBytes, cpuShares } = container;
  const said = [milliCpus, memoryReservationBytes, memorySwapBytes, shmBytes, cpuShares];
  assert.deepEqual(new Set(said), new Set([undefined]));
});

const ports: readonly (readonly [string, number | undefined])[] = [
  ['ports: ["9125:9125/udp", "8080:8081"]', 8081],
  ['ports: [{ target: 53, protocol: udp }, { target: 8080 }]', 8080],
  ['ports: [{ target: 8080, published: 80, protocol: tcp }]', 8080],
  ['ports: [8080/TCP]', 8080],
  ['ports: [8080]', 8080],
  ['ports: ["53:53/udp"]', undefined],
  ['ports: [{ target: 36412, protocol: sctp }]', undefined],
  ['expose: [53/udp, 8080/tcp]', 8080],
];

for (const [lines, wanted] of ports) {
  test(`${lines} says the port ${wanted}`, () => {
    assert.equal(composeService(input(fileWith(lines))).port, wanted);
  });
}

test('no limit of processes passes what checks a specification, as any other does', () => {
  for (const [lines, wanted] of [
    ['pids_limit: -1', -1],
    ['pids_limit: 0', -1],
    ['deploy: { resources: { limits: { pids: -1 } } }', -1],
    ['pids_limit: 5', 5],
  ] as const) {
    const { pids } = composeService(input(fileWith(lines))).container;
    assert.equal(pids, wanted);
    assert.equal(containerRun.shape.pids.parse(pids), wanted);
  }
  assert.throws(() => containerRun.shape.pids.parse(0));
});

test('options of the log count without a driver', () => {
  const log = (lines: string) => composeService(input(fileWith(lines))).container.log;
  assert.deepEqual(log('logging: { options: { max-size: 10m } }'), { options: { 'max-size': '10m' } });
  assert.deepEqual(log('logging: { driver: journald }'), { driver: 'journald', options: {} });
  assert.equal(log('logging: {}'), undefined);
});

test('the project has the name that Compose would give it', () => {
  const name = (text: string, given: Partial<ComposeInput> = {}) => composeService(input(text, given)).project;
  const plain = fileWith('');
  assert.equal(name(plain), 'myshop');
  assert.equal(name(plain, { directory: '/srv/_-Shop_2.0' }), 'shop_20');
  assert.equal(name(`name: named\n${plain}`), 'named');
  assert.equal(name(`name: named\n${plain}`, { environment: { COMPOSE_PROJECT_NAME: 'said' } }), 'said');
  assert.equal(name(plain, { dotenv: { path: '/x/.env', text: 'COMPOSE_PROJECT_NAME=dot' } }), 'dot');
});

const cannot: readonly (readonly [string, RegExp, string?])[] = [
  ['container_name: api', /container_name: cannot be honoured/],
  ['hostname: api', /hostname: cannot be honoured/],
  ['privileged: true', /privileged: cannot be honoured/],
  ['network_mode: host', /network_mode: cannot be honoured/],
  ['network_mode: service:db', /network_mode: cannot be honoured/],
  ['pid: host', /pid: cannot be honoured/],
  ['devices: [/dev/null]', /devices: cannot be honoured/],
  ['extends: { service: base }', /extends: cannot be honoured/],
  ['links: [db]', /links: cannot be honoured/],
  ['volumes_from: [db]', /volumes_from: cannot be honoured/],
  ['gpus: all', /gpus: cannot be honoured/],
  ['security_opt: [seccomp=unconfined]', /security_opt: cannot be honoured.*seccomp/],
  ['frobnicate: 1', /frobnicate: cannot be honoured: Sluice does not know it/],
  ['volumes: [".:/app:z"]', /volumes\[0\]: cannot be honoured.*"z"/],
  ['volumes: ["data:/app"]', /names the volume data, which the file does not have/],
  ['volumes: [{ type: npipe, source: a, target: b }]', /volumes of the type "npipe"/],
  ['volumes: [{ type: bind, source: a, target: /b, bind: { propagation: shared } }]', /volumes.*cannot be honoured/],
  [
    'volumes: [{ type: volume, target: /a, volume: { nocopy: true } }]',
    /volumes\.0\.volume\.nocopy: cannot be honoured/,
  ],
  ['networks: [nowhere]', /networks.nowhere: is a network that the file does not have/],
  ['networks: { default: { ipv4_address: 10.0.0.1 } }', /networks.*cannot be honoured/],
  ['secrets: [token]', /secrets.token: cannot be honoured/],
  ['secrets: [token]', /takes it from a file only/, 'secrets:\n  token: { environment: TOKEN }\n'],
  ['depends_on: [nobody]', /depends_on.nobody: is a service that the file does not have/],
  ['env_file: none.env', /names none.env, which does not exist/],
  ['environment: { SLUICE_X: 1 }', /SLUICE_X/],
  ['environment: { a.b: 1 }', /a\.b/],
  ['environment: 5', /environment: is neither/],
  ['command: ${WHAT:?say what}', /needs the variable WHAT, which is not set \(say what\)/],
  ['deploy: { replicas: 3 }', /replicas: is 3, but Sluice runs 1/],
  ['deploy: { mode: global }', /deploy.mode: cannot be honoured/],
  ['scale: 2', /replicas: is 2/],
  ['stop_grace_period: 1m', /stop_grace_period: is 1m, but Sluice waits 10s/],
  ['mem_limit: lots', /mem_limit: cannot be honoured/],
  ['healthcheck: { test: x, interval: often }', /healthcheck.interval: cannot be honoured/],
  ['tmpfs: ["/tmp:uid=5"]', /tmpfs: cannot be honoured/],
];

for (const [lines, words, rest] of cannot) {
  test(`${lines} is refused by name`, () => {
    assert.match(problemsOf(fileWith(lines, rest)).join('\n'), words);
  });
}

test('everything that cannot be honoured is named at once', () => {
  assert.equal(problemsOf(fileWith('hostname: a\npid: host\nipc: host\nprivileged: true')).length, 4);
});

test('what is no Compose file, or has no such service, is refused', () => {
  assert.match(problemsOf('just text').join(), /no map of services/);
  assert.match(problemsOf('services: {web: {image: x}}').join(), /no service "api"/);
  assert.match(
    problemsOf('include: [other.yml]\nservices: {api: {image: "x:1"}}').join(),
    /include: cannot be honoured/,
  );
  assert.match(problemsOf('services: {api: {build: .}}').join(), /image: is missing/);
  assert.match(problemsOf('services: [').join(), /is not YAML/);
  assert.match(problemsOf('a: &a [*a]\nservices: {api: {image: "x:1"}}').join(), /nested too deeply/);
});
