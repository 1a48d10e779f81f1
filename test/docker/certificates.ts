// Certificates as an engine with `tlsverify` has them: one authority, and what it signed for the engine and for its clients.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

/** PEM files. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export class Authority {
  readonly ca: string;
  readonly #directory: string;
  readonly #key: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.ca = join(directory, 'ca.pem');
    this.#key = join(directory, 'ca.key');
  }

  /** Its files lie in the directory. */
  static async in(directory: string): Promise<Authority> {
    const made = new Authority(directory);
    const names = ['-subj', '/CN=authority', '-keyout', made.#key, '-out', made.ca];
    await run('openssl', ['req', '-x509', ...kind, ...names]);
    return made;
  }

  /** `usage`: serverAuth or clientAuth. */
  async sign(name: string, usage: 'serverAuth' | 'clientAuth'): Promise<Certificate> {
    const [certificate, key] = [join(this.#directory, `${name}.pem`), join(this.#directory, `${name}.key`)];
    const uses = [
      '-addext',
      'subjectAltName=IP:127.0.0.1,IP:127.0.0.2,DNS:localhost',
      '-addext',
      `extendedKeyUsage=${usage}`,
    ];
    const signer = ['-CA', this.ca, '-CAkey', this.#key];
    const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', key, '-out', certificate];
    await run('openssl', ['req', '-x509', ...kind, ...signer, '-subj', `/CN=${name}`, ...uses, ...leaf]);
    return { certificate, key };
  }
}
