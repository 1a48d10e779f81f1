// An NGINX in a container, from an image made of this machine's own NGINX; none is pulled.

import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { addLibraries } from '../docker/image.ts';
import { findNginx } from './nginx.ts';

const run = promisify(execFile);
const image = 'sluice-test/nginx:1';

/** On the network of the machine. It sees `directory` as `/lb`. */
export class NginxContainer {
  readonly name = `sluice-test-nginx-${randomBytes(4).toString('hex')}`;
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async start(): Promise<NginxContainer> {
    await nginxImage();
    const container = new NginxContainer(await mkdtemp('/tmp/sluice-nginx-container-'));
    await chmod(container.directory, 0o755);
    await mkdir(join(container.directory, 'conf.d'));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    await writeFile(
      join(container.directory, 'nginx.conf'),
      `user root root;
daemon off;
pid /lb/nginx.pid;
error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path /lb/${name};`).join('\n')}
  include conf.d/*.conf;
}
`,
    );
    const [mount, command] = [`${container.directory}:/lb`, ['nginx', '-p', '/lb', '-c', '/lb/nginx.conf']];
    const named = ['--detach', '--name', container.name, '--network', 'host', '--volume', mount];
    await run('docker', ['run', ...named, image, ...command]);
    return container;
  }

  async end(): Promise<void> {
    await run('docker', ['rm', '--force', '--volumes', this.name]);
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Made where the machine does not have it yet: the program, what it is linked with, and `cat`. */
async function nginxImage(): Promise<void> {
  if ((await run('docker', ['image', 'inspect', image]).catch(() => undefined)) !== undefined) return;
  const root = await mkdtemp('/tmp/sluice-image-');
  try {
    for (const folder of ['bin', 'etc', 'tmp', 'var/log/nginx', 'var/lib/nginx', 'run'])
      await mkdir(join(root, folder), { recursive: true });
    const program = (await run('which', [(await findNginx())?.path ?? 'nginx'])).stdout.trim();
    for (const [from, to] of [
      [program, 'bin/nginx'],
      ['/bin/cat', 'bin/cat'],
    ] as const) {
      await copyFile(await realpath(from), join(root, to));
      await addLibraries(root, from);
    }
    await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/cat\n');
    await writeFile(join(root, 'etc/group'), 'root:x:0:\n');
    const tar = spawn('tar', ['-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const imported = spawn('docker', ['import', '--change', 'ENV PATH=/bin', '-', image], {
      stdio: [tar.stdout, 'ignore', 'inherit'],
    });
    const code = await new Promise<number | null>((resolve) => {
      imported.once('exit', resolve);
    });
    if (code !== 0) throw new Error('the image of NGINX could not be made');
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
