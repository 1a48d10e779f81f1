// The shop: the small service that the demo deploys. What its version does differently stands in `version.json` beside it.

import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';

/** What the demo writes into each release. */
export interface ShopVersion {
  readonly version: string;
  /** `checkout`: every third checkout fails; `late`: it does so only after a while; `start`: the program ends before it listens. */
  readonly fault?: 'checkout' | 'late' | 'start';
}

/** Tells the visitors of the demo which version answered. */
export const versionHeader = 'x-shop-version';
/** Marks an error that is there on purpose, so that it is not taken for one that deploying caused. */
export const faultHeader = 'x-shop-deliberate-fault';

const shortestWorkMs = 2;
const longestWorkMs = 10;
/** A release with the fault `late` is well for so long; it was promoted some seconds after its start. */
export const lateMs = 34_000;

function main(): void {
  const own = JSON.parse(readFileSync(new URL('version.json', import.meta.url), 'utf8')) as ShopVersion;
  const port = Number(process.env['PORT']);
  say(`shop ${own.version} starts`);
  if (own.fault === 'start') {
    say('connecting to the payment service');
    fail('the variable PAYMENT_URL is not set; the shop cannot start');
  }
  let checkouts = 0;
  const server = createServer((request, response) => {
    response.setHeader(versionHeader, own.version);
    if (request.url === '/checkout') checkouts += 1;
    const isBad = own.fault === 'checkout' || (own.fault === 'late' && performance.now() >= lateMs);
    const fails = isBad && request.url === '/checkout' && checkouts % 3 === 0;
    if (request.url === '/health') response.end('ready\n');
    else if (!fails) answer(response, 200, `Welcome to the shop, ${own.version}.\n`);
    else {
      response.setHeader(faultHeader, own.version);
      answer(response, 500, 'The order could not be stored.\n');
    }
  });
  server.listen(port, '127.0.0.1', () => say(`listening on port ${port}`));
  process.once('SIGTERM', () => {
    say('ending');
    server.close(() => process.exit(0));
  });
}

/** After as much work as a small page takes. */
function answer(response: ServerResponse, status: number, text: string): void {
  const workMs = shortestWorkMs + Math.random() * (longestWorkMs - shortestWorkMs);
  setTimeout(() => {
    response.statusCode = status;
    response.end(text);
  }, workMs);
}

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}

function fail(words: string): never {
  process.stderr.write(`${words}\n`);
  process.exit(1);
}

// The demo imports the names above; only a shop that was deployed has a port.
if (process.env['SLUICE_INSTANCE'] !== undefined) main();
