// nginx with the module nchan: C, one worker, messages in memory. No token is asked for, and events come by HTTP.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Place, Program } from '../program.ts';

/** Where distributions put it. */
const MODULES = [
  '/usr/lib/nginx/modules/ngx_nchan_module.so',
  '/usr/lib64/nginx/modules/ngx_nchan_module.so',
  '/usr/share/nginx/modules/ngx_nchan_module.so',
];
const MAX_CONNECTIONS = 18_000;

const modulePath = (): string | undefined => MODULES.find((file) => existsSync(file));

export const hasNchan = (): boolean => modulePath() !== undefined && spawnSync('nginx', ['-v']).status === 0;

/** Channels start with what is published after a client came, as those of all others; the rest is as it comes. */
export function nchanConfiguration(
  module: string,
  { port, folder, env }: Omit<Place, 'nodeArguments'>,
): string {
  const { PING_SOCKETS_INTERVAL_MS: pingMs } = env;
  const pings = pingMs === undefined ? '' : `nchan_websocket_ping_interval ${Number(pingMs) / 1000};`;
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  return `
load_module ${module};
daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log stderr error;
events { worker_connections ${MAX_CONNECTIONS}; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_buffer_size 64k;
  ${folders.join('\n  ')}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /ready { return 200; }
    location ~ ^/sub/([\\w-]+)$ {
      nchan_subscriber websocket eventsource;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
      ${pings}
    }
    location ~ ^/pub/([\\w-]+)$ {
      nchan_publisher http;
      nchan_channel_id $1;
    }
  }
}
`;
}

export const nchan: Program = {
  dialect: 'nchan',
  inlet: 'http',
  isNode: false,
  async command(place) {
    const module = modulePath();
    if (module === undefined) throw new Error('nchan is not installed');
    // The worker is another user where nginx is started by root.
    await chmod(place.folder, 0o755);
    const file = join(place.folder, 'nginx.conf');
    await writeFile(file, nchanConfiguration(module, place));
    return ['nginx', ['-e', 'stderr', '-p', place.folder, '-c', file]];
  },
};
