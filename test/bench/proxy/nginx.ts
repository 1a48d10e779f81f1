// NGINX with one worker in front of the upstream, doing what the built-in proxy does: keep-alive both ways, forwarded headers, no log.

import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Nginx {
  readonly version: string;
  /** Of the worker. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** Undefined where NGINX is not installed. */
export async function startNginx(directory: string, port: number, upstreamPort: number): Promise<Nginx | undefined> {
  const program = await findProgram();
  if (program === undefined) return undefined;
  const config = join(directory, 'nginx.conf');
  await writeFile(config, configText(directory, port, upstreamPort));
  const child = spawn(program.path, ['-p', directory, '-c', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // A session of its own, as the built-in proxy has: Linux shares a busy machine out by session.
    detached: true,
  });
  await listening(port);
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '');
  return {
    version: program.version,
    pid: Number(children.trim().split(' ')[0]) || (child.pid ?? 0),
    stop: async () => {
      const ended = new Promise((resolve) => {
        child.once('exit', resolve);
      });
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function findProgram(): Promise<{ path: string; version: string } | undefined> {
  for (const path of ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx']) {
    const found = await run(path, ['-v']).catch(() => undefined);
    if (found !== undefined) return { path, version: /nginx\/(\S+)/.exec(found.stderr)?.[1] ?? '' };
  }
  return undefined;
}

function configText(directory: string, port: number, upstreamPort: number): string {
  return `
worker_processes 1;
daemon off;
pid ${directory}/nginx.pid;
error_log ${directory}/nginx-error.log;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  upstream instance { server 127.0.0.1:${upstreamPort}; keepalive 128; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://instance;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
    }
  }
}
`;
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await sleep(10);
  }
  throw new Error(`nothing listens on port ${port}`);
}
