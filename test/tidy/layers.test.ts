// The layers of the project, as data: which folder may import which. A rule that visits no file fails, so that none goes stale.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sources, type Source } from './sources.ts';

interface Rule {
  readonly from: string;
  /** Beginnings of paths that it may import. */
  readonly may: readonly string[];
  readonly why: string;
}

const core = ['src/base/', 'src/core/'];
/** Types of what a person can ask; the engine behind them stays out of sight. */
const controller = 'src/engine/controller.ts';

const rules: readonly Rule[] = [
  { from: 'src/base/', may: ['src/base/'], why: 'base stands on nothing' },
  { from: 'src/core/', may: core, why: 'the core decides; it knows no port, no driver and no configuration file' },
  { from: 'src/config/', may: [...core, 'src/config/'], why: 'configuration only turns text into a specification' },
  { from: 'src/ports/', may: [...core, 'src/ports/'], why: 'a port speaks the words of the core' },
  {
    from: 'src/engine/',
    may: [...core, 'src/ports/', 'src/engine/'],
    why: 'the engine reaches the world through ports',
  },
  { from: 'src/drivers/', may: [...core, 'src/ports/', 'src/drivers/'], why: 'a driver serves a port' },
  {
    from: 'src/api/',
    may: [...core, 'src/config/', 'src/ports/store.ts', controller, 'src/api/'],
    why: 'the contract is schemas and routes',
  },
  {
    from: 'src/client/',
    may: [...core, 'src/api/', controller, 'src/client/'],
    why: 'the client knows the contract, not who fulfils it',
  },
  {
    from: 'src/server/',
    may: [...core, 'src/api/', controller, 'src/ports/store.ts', 'src/server/'],
    why: 'the server hands requests to a controller',
  },
  {
    from: 'src/cli/',
    may: [
      ...core,
      'src/api/',
      'src/client/',
      'src/config/',
      'src/reports/',
      controller,
      'src/ports/store.ts',
      'src/cli/',
    ],
    why: 'the CLI asks through the client; it is given a connection and composes nothing',
  },
  { from: 'src/reports/', may: [...core, 'src/reports/'], why: 'reports are read to facts of the core' },
  {
    from: 'src/demo/',
    may: [...core, 'src/client/', 'src/cli/', controller, 'src/compose.ts', 'src/demo/'],
    why: 'the demo types commands and asks the client; only its caretaker reaches for what runs',
  },
];

/** Test files may reach for the drivers they test with; contract suites are part of their port. */
const all = sources(['src/**/*.ts']).filter(({ path }) => !isTest(path));

function isTest(path: string): boolean {
  return (
    path.endsWith('.test.ts') ||
    /\/(?:fixture|harness)[^/]*\.ts$/.test(path) ||
    path.endsWith('-child.ts') ||
    path.endsWith('-worker.ts')
  );
}

describe('layers', () => {
  for (const rule of rules) {
    it(`${rule.from} imports only what it may`, () => {
      const files = all.filter(({ path }) => path.startsWith(rule.from));
      assert.ok(files.length > 0, `no file in ${rule.from}: correct or delete the rule`);
      assert.deepEqual(
        files.flatMap((file) => offences(file, rule)),
        [],
      );
    });
  }

  it('every folder of src has a rule', () => {
    const without = all.filter(
      ({ path }) => path.split('/').length > 2 && !rules.some(({ from }) => path.startsWith(from)),
    );
    assert.deepEqual(
      without.map(({ path }) => path),
      [],
    );
  });

  it('a driver never imports another one, only what several of them share', () => {
    const drivers = all.filter(({ path }) => path.startsWith('src/drivers/'));
    const strangers = drivers.flatMap(({ path, imports }) =>
      imports
        .filter((imported) => imported.startsWith('src/drivers/') && !mayShare(path, imported))
        .map((imported) => `${path} imports ${imported}`),
    );
    assert.ok(drivers.length > 0);
    assert.deepEqual(strangers, []);
  });

  it('only compose.ts knows drivers', () => {
    const knowing = all.filter(
      ({ path, imports }) =>
        !path.startsWith('src/drivers/') && imports.some((imported) => imported.startsWith('src/drivers/')),
    );
    assert.deepEqual(
      knowing.map(({ path }) => path),
      ['src/compose.ts'],
    );
  });

  it('core and engine import no module that does something', () => {
    const pure = all.filter(
      ({ path }) => (path.startsWith('src/core/') || path.startsWith('src/engine/')) && !path.endsWith('.contract.ts'),
    );
    const impure = pure.flatMap(({ path, packages }) =>
      packages.filter((name) => !allowedInCore.has(name)).map((name) => `${path} imports ${name}`),
    );
    assert.ok(pure.length > 0);
    assert.deepEqual(impure, []);
  });
});

/** Pure functions of packages, without effect on anything. */
const allowedInCore = new Set(['node:crypto', 'node:path/posix', 'zod', 'ajv/dist/2020.js']);

function offences({ path, imports }: Source, rule: Rule): readonly string[] {
  return imports
    .filter((imported) => imported.startsWith('src/') && !rule.may.some((allowed) => imported.startsWith(allowed)))
    .map((imported) => `${path} imports ${imported}: ${rule.why}`);
}

/** No drivers themselves: what the drivers of one port that do the same work share. */
const shared = ['src/drivers/router/log-feed'];

/** A shared folder, or a file that lies beside the drivers of its port; neither knows a driver in its turn. */
function mayShare(path: string, imported: string): boolean {
  if (driverOf(path) === driverOf(imported)) return true;
  const parts = imported.split('/');
  const samePort = parts[2] === path.split('/')[2];
  return samePort && (shared.includes(driverOf(imported)) || parts.length === 4);
}

/** `src/drivers/router/embedded` for anything inside it. */
function driverOf(path: string): string {
  return path.split('/').slice(0, 4).join('/');
}
