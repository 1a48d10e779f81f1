// An NGINX in a container, from an image made of this machine's own NGINX; none is pulled.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { importedImage, whereIs } from '../docker/image.ts';
import { findNginx } from './nginx.ts';

const run = promisify(execFile);
/** On the network of the machine. It sees `directory` as `/lb`. */
export class NginxContainer {
  readonly name = `sluice-test-nginx-${randomBytes(4).toString('hex')}`;
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async start(): Promise<NginxContainer> {
    const image = await nginxImage();
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

/** The program, and `cat`; its own configuration includes `/etc/nginx/conf.d`, as that of its makers does. */
export async function nginxImage(): Promise<string> {
  return importedImage('sluice-test/nginx:3', {
    programs: { 'bin/nginx': await whereIs((await findNginx())?.path ?? 'nginx'), 'bin/cat': '/bin/cat' },
    folders: ['var/log/nginx', 'var/lib/nginx', 'run'],
    files: {
      'etc/nginx/nginx.conf': `user root root;
error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off;
  include /etc/nginx/conf.d/*.conf;
}
`,
    },
    changes: ['ENV PATH=/bin', 'CMD ["nginx", "-g", "daemon off;"]'],
  });
}
