// The commands of the readme and of the guide do what they say: every `sh` block is run, in order, as a reader would type it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { takeDown } from '../../src/compose.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { Scope } from '../../src/core/scope.ts';
import { freePort } from '../free-port.ts';
import { root } from '../tidy/sources.ts';
import { programPath } from '../package/program.ts';

interface Page {
  readonly file: string;
  /** What is deployed on the way; undefined: nothing. */
  readonly scope?: Scope;
  /** What must be seen on the way, in this order. */
  readonly sees: readonly string[];
}

const pages: readonly Page[] = [
  {
    file: 'README.md',
    scope: { service: 'shop', environment: 'production' },
    sees: ['version 1 answers /', 'VERIFIED', 'version 1 answers /', 'shop/production is gone'],
  },
  {
    file: 'docs/guide/getting-started.md',
    scope: { service: 'hello', environment: 'production' },
    sees: ['hello', 'good day', 'hello', 'hello/production is gone', 'taken away'],
  },
  {
    file: 'docs/guide/confidence.md',
    sees: [
      'goes on by itself',
      '2 tests passed',
      '100 % of 1 changed lines are covered',
      'asks a person',
      '1 of 2 tests failed',
      'exit code 3',
    ],
  },
  {
    file: 'docs/gates.md',
    sees: [
      'abort after 11s, 3 of 22 requests failed',
      'exit code 1',
      '"verdict":"abort"',
      'exit code 1',
      'promote after 1m15s, none of 150 requests failed',
      'the candidate gets 10 requests a second',
      'the candidate gets 0.25 requests a second',
    ],
  },
];

describe('documentation', () => {
  for (const { file, scope, sees } of pages) {
    it(`${file} can be followed word by word`, async () => {
      const text = await readFile(join(root, file), 'utf8');
      const directory = await mkdtemp(join(tmpdir(), 'sluice-guide-'));
      const home = join(directory, 'home');
      try {
        const script = await onFreePorts(blocks(text, 'sh').join('\n'));
        const output = await follow(script, directory, home);
        assertSeen(output, sees);
      } finally {
        if (scope !== undefined) await takeDown(home, scope);
        await rm(directory, { recursive: true, force: true });
      }
    });
  }

  it('every piece of configuration in the guide is one that Sluice takes', async () => {
    const sources = ['prometheus', 'metrics-http', 'metrics-command'].map((name) => `docs/drivers/${name}.md`);
    for (const file of ['docs/guide/canary.md', 'docs/guide/confidence.md', ...sources]) {
      const pieces = blocks(await readFile(join(root, file), 'utf8'), 'yaml');
      assert.ok(pieces.length > 0);
      for (const piece of pieces) parseConfig(whole(piece), file);
    }
  });
});

function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1] ?? '');
}

/** The ports of the documentation may be taken on this machine; each gets a free one instead. */
async function onFreePorts(script: string): Promise<string> {
  let changed = script;
  for (const port of new Set(script.match(/(?<=127\.0\.0\.1:)\d+/g)))
    changed = changed.replaceAll(port, String(await freePort()));
  return changed;
}

/** A piece of configuration as part of the least that makes a whole one. */
function whole(piece: string): string {
  const settings: unknown = parse(piece);
  return JSON.stringify({
    service: 'shop',
    release: { directory: '.', command: 'node server.js' },
    strategy: 'canary',
    environments: { production: { platform: 'process', router: { embedded: { listen: 8080 } } } },
    ...(settings as object),
  });
}

/** Runs the script with this checkout's `sluice` on the path; everything that it printed. */
async function follow(script: string, directory: string, home: string): Promise<string> {
  const program = join(directory, 'sluice');
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${programPath}" "$@"\n`, {
    mode: 0o755,
  });
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: directory,
    env: { ...process.env, PATH: `${directory}:${process.env['PATH'] ?? ''}`, SLUICE_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that a reader who waits for ever is sent home with all that they started.
    detached: true,
  });
  let output = '';
  shell.stdout.on('data', (data: Buffer) => (output += data.toString()));
  shell.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const patience = setTimeout(() => process.kill(-(shell.pid ?? 0), 'SIGKILL'), 240_000);
  const [code] = (await once(shell, 'close')) as [number | null];
  clearTimeout(patience);
  assert.equal(code, 0, output);
  return output;
}

function assertSeen(output: string, sees: readonly string[]): void {
  let rest = output;
  for (const seen of sees) {
    const at = rest.indexOf(seen);
    assert.ok(at !== -1, `${JSON.stringify(seen)} was not seen in:\n${output}`);
    rest = rest.slice(at + seen.length);
  }
}
