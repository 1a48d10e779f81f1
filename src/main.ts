#!/usr/bin/env node
// The program `sluice`: hands the real terminal, environment and time to the CLI, and loads everything else when it is needed.

import * as nodeModule from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  // Nothing below could be loaded; an older Node would stop with a syntax error of its own.
  process.stderr.write(`sluice needs Node 24.12 or later, and this is ${process.version} (${process.execPath}).\n`);
  process.exit(2);
}
nodeModule.enableCompileCache();

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
