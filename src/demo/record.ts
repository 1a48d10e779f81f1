// Keeps the record of the demo beyond its end: every deployment with its events and their evidence, in one JSON file.

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../client/client.ts';
import { scope } from './scope.ts';
import type { Summary } from './summary.ts';

const most = 100;

/** The path of the file; rejects where the server does not answer or the disk does not take it. */
export async function writeRecord(client: Client, summary: Summary): Promise<string> {
  const newestFirst = await client.history({ scope, limit: most });
  const deployments = [];
  for (const { id } of newestFirst.toReversed()) deployments.push(await client.detail(id));
  const directory = await mkdtemp(join(tmpdir(), 'sluice-record-'));
  const file = join(directory, 'demo.json');
  await writeFile(file, `${JSON.stringify({ summary, deployments }, null, 2)}\n`, { mode: 0o600 });
  return file;
}
