// A service that says its version, and ends when it is asked to.

import { createServer } from 'node:http';

const { PORT, VERSION } = process.env;
const server = createServer((request, response) => response.end(request.url === '/health' ? 'well' : `${VERSION}\n`));
server.listen(Number(PORT));
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
