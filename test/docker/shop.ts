// Images of a small service in several versions, which says its version and ends when it is asked to.

import { buildImage, docker, nodeImage } from './image.ts';

const program = `
const { createServer } = require('node:http');
const [, , version, fault] = process.argv;
let asked = 0;
const server = createServer((request, response) => {
  asked += 1;
  const bad = fault === 'fails' && request.url !== '/health';
  response.writeHead(bad ? 500 : 200, { 'x-version': version });
  response.end(version);
});
if (fault === 'crashes') { console.error('no database'); process.exit(7); }
server.listen(Number(process.env.PORT), () => console.log(version + ' listens'));
process.once('SIGTERM', () => { console.log(version + ' ends'); server.close(() => process.exit(0)); server.closeIdleConnections(); });
`;

export type Fault = 'none' | 'fails' | 'crashes';

/** The reference of an image of this version; made where the machine does not have it yet. */
export async function shopImage(version: string, fault: Fault = 'none'): Promise<string> {
  const base = await nodeImage();
  const reference = `sluice-test/shop:${version}-${fault}-${base.slice(-12)}`;
  const found = await docker
    .getImage(reference)
    .inspect()
    .catch(() => undefined);
  if (found !== undefined) return reference;
  const dockerfile = `FROM ${base}\nCOPY main.cjs /app/main.cjs\nENTRYPOINT ["node"]\nCMD ["main.cjs", "${version}", "${fault}"]\n`;
  await buildImage(reference, { Dockerfile: dockerfile, 'main.cjs': program });
  return reference;
}
