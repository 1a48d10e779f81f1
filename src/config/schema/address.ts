// Addresses to listen on and to connect to, as `port` or `host:port`.

import * as z from 'zod';
import type { Address } from '../../core/instance.ts';
import { words } from '../words.ts';

const hostShape = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|\[[0-9a-fA-F:.]{2,45}\])$/;

/** `db:5432` and `[::1]:5432` to host and port; undefined when the text is neither. An IPv6 host loses its brackets. */
function parseAddress(text: string): Address | undefined {
  const split = text.lastIndexOf(':');
  const [host, digits] = [text.slice(0, split), text.slice(split + 1)];
  if (split < 1 || !hostShape.test(host) || !/^\d{1,5}$/.test(digits)) return undefined;
  const port = Number(digits);
  return isPort(port) ? { host: host.replaceAll(/[[\]]/g, ''), port } : undefined;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** An address to listen on; a port alone listens on `host`. */
export function listenAddress(host: string, examplePort: number) {
  const message = words(
    'is not an address to listen on',
    `Write a port such as ${examplePort}, or 127.0.0.1:${examplePort}.`,
  );
  return z
    .union([z.int({ error: message }), z.string({ error: message })], { error: message })
    .transform((given, context): Address => {
      const bare = typeof given === 'number' ? given : /^\d{1,5}$/.test(given) ? Number(given) : undefined;
      const address = bare === undefined ? parseAddress(String(given)) : { host, port: bare };
      if (address !== undefined && isPort(address.port)) return address;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ title: 'port or host:port', examples: [examplePort, `127.0.0.1:${examplePort}`] });
}

/** An address to connect to: host and port. */
export function remoteAddress(example: string) {
  const message = words('is not an address', `Write host and port, such as ${example}.`);
  return z
    .string({ error: message })
    .transform((text, context): Address => {
      const address = parseAddress(text);
      if (address !== undefined) return address;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ title: 'host:port', examples: [example] });
}
