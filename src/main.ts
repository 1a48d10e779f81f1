#!/usr/bin/env node
// The program `sluice`: hands the real terminal, environment and time to the CLI, and loads everything else when it is needed.

import { enableCompileCache } from 'node:module';

enableCompileCache();

const { processContext } = await import('./cli/process-context.ts');
const { run } = await import('./cli/run.ts');

const context = processContext({
  connect: async (options) => (await import('./connect.ts')).connect(options),
  startServer: async (options) => (await import('./compose.ts')).startServer(options),
  demo: async (options) => (await import('./compose.ts')).demo(options),
});
const exitCode = await run(context);
await context.flush();
// Whatever might still be open, a command that is done does not keep its caller waiting.
process.exit(exitCode);
