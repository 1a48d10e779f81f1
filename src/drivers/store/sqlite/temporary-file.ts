// A place for a store's file in a test, removed with all beside it when the test ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** The absolute path of a file that does not exist yet, in a folder that does not exist yet. */
export function temporaryFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-store-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'state', 'store.db');
}
