import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blocks, pageAt } from '../../test/docs/pages.ts';
import type { Certificates } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { createFolder } from '../support/run.ts';

/** A proxy of this machine: Debian's own configuration, and in it the lines of the page on proxies. */
export interface Proxy {
  readonly port: number;
  /** Where it speaks TLS. */
  readonly tlsPort: number;
  stop(): Promise<void>;
}

export type ProxyName = 'nginx' | 'haproxy';

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly tlsPort: number;
  /** Ports of this machine. */
  readonly servers: readonly number[];
}

const SERVER = '127.0.0.1:8080';

/** Starts one before the servers at these ports, and waits until it listens. */
export async function startProxy(
  name: ProxyName,
  servers: readonly number[],
  { server: { cert, key } }: Certificates,
): Promise<Proxy> {
  const folder = createFolder(name);
  // The workers of one that is started by root are another user.
  await chmod(folder, 0o755);
  const place = { folder, port: await freePort(), tlsPort: await freePort(), servers };
  await writeFile(join(folder, 'server.crt'), cert);
  await writeFile(join(folder, 'server.key'), key);
  await writeFile(join(folder, 'server.pem'), cert + key);
  const file = join(folder, `${name}.cfg`);
  await writeFile(file, CONFIGURATION_OF[name](place));
  const child = spawn(
    name,
    name === 'nginx' ? ['-e', 'stderr', '-p', folder, '-c', file] : ['-db', '-f', file],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  await once(child, 'spawn').catch((cause: unknown) => {
    throw new Error(`These tests need ${name}: apt install ${name}`, { cause });
  });
  await writeFile(join(folder, 'pid'), String(child.pid));
  await eventually('the proxy listens', async () => {
    if (child.exitCode !== null) return true;
    return (await fetch(`http://127.0.0.1:${place.port}/health`)).ok;
  });
  if (child.exitCode !== null) throw new Error(`${name} ended:\n${output}`);
  return { ...place, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** The lines of the page, in Debian's own configuration of the proxy. */
const CONFIGURATION_OF: Readonly<Record<ProxyName, (place: Place) => string>> = {
  nginx({ folder, port, tlsPort, servers }) {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const site = replaced(blockOf('nginx'), [
      [`server ${SERVER};`, servers.map((server) => `server 127.0.0.1:${server};`).join(' ')],
      ['listen 80;', `listen 127.0.0.1:${port};`],
      ['listen 443 ', `listen 127.0.0.1:${tlsPort} `],
      ['/etc/ssl/example.com.crt', `${folder}/server.crt`],
      ['/etc/ssl/example.com.key', `${folder}/server.key`],
    ]);
    return replaced(debianFile('/etc/nginx/nginx.conf'), [
      ['pid /run/nginx.pid;', `daemon off;\npid ${folder}/nginx.pid;`],
      ['error_log /var/log/nginx/error.log;', 'error_log stderr error;'],
      ['access_log /var/log/nginx/access.log;', 'access_log off;'],
      [
        'include /etc/nginx/conf.d/*.conf;',
        `${temporary.map((one) => `${one}_temp_path ${folder}/${one};`).join('\n')}\n${site}`,
      ],
      // Other servers of this machine, and what they need.
      ['include /etc/nginx/sites-enabled/*;', ''],
      ['include /etc/nginx/modules-enabled/*.conf;', ''],
    ]);
  },
  haproxy({ folder, port, tlsPort, servers }) {
    const base = replaced(debianFile('/etc/haproxy/haproxy.cfg'), [
      ['/run/haproxy/admin.sock', `${folder}/admin.sock`],
    ]);
    const text = replaced(blockOf('haproxy'), [
      ['bind :80\n', `bind 127.0.0.1:${port}\n`],
      ['bind :443 ', `bind 127.0.0.1:${tlsPort} `],
      ['/etc/ssl/example.com.pem', `${folder}/server.pem`],
    ]);
    // Only root may have another user, and another root.
    const allowed = isRoot ? base : base.replaceAll(/^\s*(?:chroot|user|group) .*$/gm, '');
    // A line for each server, in each backend.
    const backends = text.replaceAll(/^ *server one .*$/gm, (line) =>
      servers
        .map((server, at) =>
          replaced(line, [[SERVER, `127.0.0.1:${server}`]]).replaceAll('one', `number-${at}`),
        )
        .join('\n'),
    );
    return `${allowed}\n${backends}`;
  },
};

const isRoot = process.getuid?.() === 0;

function debianFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(`These tests need ${path} as Debian's package has it`, { cause });
  }
}

function blockOf(language: string): string {
  const [block, ...others] = blocks(pageAt('docs/proxies.md'), language);
  if (block === undefined || others.length > 0)
    throw new Error(`expected one block of ${language} on the page`);
  return block;
}

function replaced(text: string, replacements: readonly (readonly [from: string, to: string])[]): string {
  return replacements.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`the configuration has no ${from}`);
    return before.replaceAll(from, to);
  }, text);
}
