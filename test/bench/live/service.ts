// A service whose requests fail and take time by chance, as real ones do. Its working directory is the release; `behaviour.json` says how.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import type { Behaviour } from './behaviour.ts';

const behaviour = JSON.parse(readFileSync('behaviour.json', 'utf8')) as Behaviour;
/** Above the floor below which the default gate tells no latencies apart. */
const medianMs = 40;
const spread = 0.4;
const began = Date.now();

const server = createServer((request, response) => {
  response.setHeader('x-release', behaviour.name);
  if (request.url === '/health') return void response.end('well');
  const isBad = Date.now() - began >= (behaviour.afterMs ?? 0);
  const failed = isBad && Math.random() < behaviour.errors;
  const latencyMs = medianMs * (isBad ? behaviour.slower : 1) * Math.exp(spread * normal());
  setTimeout(() => {
    response.statusCode = failed ? 500 : 200;
    response.end(behaviour.name);
  }, latencyMs);
});

/** A draw from the normal distribution (Box and Muller). */
function normal(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

server.listen(Number(process.env['PORT']), '127.0.0.1');
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
