// A shop that tells its version. The version comes from a file beside it, so that each release has its own.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const version = readFileSync(new URL('version', import.meta.url), 'utf8').trim();

const server = createServer((request, response) => {
  const broken = version.includes('broken') && request.url !== '/health';
  response.statusCode = broken ? 500 : 200;
  response.end(`${version}\n`);
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.once('SIGTERM', () => server.close(() => process.exit(0)));
