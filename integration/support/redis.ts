import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { RedisOptions } from 'ioredis';
import { type Certificates, makeCertificates } from './certificates.ts';
import { engineHost } from './docker.ts';
import { type Place, type RedisNode, startNode } from './node.ts';
import { type Backend, testRun } from './run.ts';

/** The URL of the Redis that all test files share: use `uniquePrefix()` for every key, and never flush it. */
export const redisUrl = () => testRun().url;

/** A prefix for keys and channels that no other test, run or user of the shared Redis has. */
export const uniquePrefix = () => `test-${randomUUID()}-`;

/** The settings of a Redis of one's own; the zero of every field is the plain, open server. */
export type RedisSettings = {
  /** `requirepass` */
  readonly password?: string;
  /** ACL users beside the default one; rules as in redis.conf, e.g. `~* &* +@all`. */
  readonly users?: readonly { readonly name: string; readonly password: string; readonly rules: string }[];
  /** Turns the default user off, so that only `users` can come in. */
  readonly defaultUserOff?: boolean;
  /** TLS only, no plain port; `mutual` insists on a client certificate, `misnamed` has one of another host's. */
  readonly tls?: boolean | 'mutual' | 'misnamed';
  /** Listen on a unix socket too: `path`. */
  readonly unixSocket?: boolean;
  /** Default true: what was answered survives a kill. */
  readonly appendOnly?: boolean;
  /** Further arguments of `redis-server`: `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[];
};

/** A Redis of one's own. */
export type OwnRedis = Omit<RedisNode, 'announced'> & {
  readonly url: string;
  /** What `new Redis(options)` needs to connect as the default user. */
  readonly options: RedisOptions;
  readonly certificates: Certificates | undefined;
};

/**
 * Starts a Redis that a test has to itself and may kill, freeze and restart; the test stops it.
 *
 * It listens on the same port all its life.
 */
export async function startRedis(settings: RedisSettings = {}): Promise<OwnRedis> {
  // A socket in a container is reached through a bind mount, which not every engine can do; a process always can.
  const backend = settings.unixSocket === true && (await hasLocalRedis()) ? 'local' : ownBackend();
  const host = backend === 'docker' ? await engineHost() : '127.0.0.1';
  const names = settings.tls === 'misnamed' ? ['elsewhere.example'] : ['localhost', '127.0.0.1', host];
  const certificates = settings.tls ? await makeCertificates(names) : undefined;
  const node = await startNode(backend, {
    args: (place) => redisArgs(settings, place),
    ...(certificates === undefined ? {} : { files: () => filesOf(certificates), tls: true }),
    ...(settings.unixSocket === true ? { unixSocket: 'redis.sock' } : {}),
  });
  const credentials = settings.password === undefined ? '' : `:${encodeURIComponent(settings.password)}@`;
  const client = settings.tls === 'mutual' ? certificates?.client : undefined;
  const unchecked = settings.tls === 'misnamed' ? { checkServerIdentity: () => undefined } : undefined;
  return {
    ...node,
    url: `${certificates === undefined ? 'redis' : 'rediss'}://${credentials}${node.host}:${node.port}`,
    options: {
      host: node.host,
      port: node.port,
      ...(settings.password === undefined ? {} : { password: settings.password }),
      ...(certificates === undefined ? {} : { tls: { ca: certificates.ca, ...client, ...unchecked } }),
    },
    certificates,
  };
}

function redisArgs(settings: RedisSettings, { folder, port }: Place): string[] {
  const { password, users = [], tls } = settings;
  const args = ['--save', '', '--appendonly', settings.appendOnly === false ? 'no' : 'yes'];
  if (tls) {
    args.push('--port', '0', '--tls-port', `${port}`, '--tls-ca-cert-file', `${folder}/ca.crt`);
    args.push('--tls-cert-file', `${folder}/server.crt`, '--tls-key-file', `${folder}/server.key`);
    args.push('--tls-auth-clients', tls === 'mutual' ? 'yes' : 'no');
  } else {
    args.push('--port', `${port}`);
  }
  if (password !== undefined) args.push('--requirepass', password);
  for (const { name, password: secret, rules } of users) {
    args.push('--user', name, 'on', `>${secret}`, ...rules.split(' '));
  }
  if (settings.defaultUserOff === true) args.push('--user', 'default', 'off');
  return [...args, ...(settings.args ?? [])];
}

const filesOf = ({ ca, server }: Certificates) => ({
  'ca.crt': ca,
  'server.crt': server.cert,
  'server.key': server.key,
});

/** What a Redis of a test's own is made with, also where the shared one was given by its URL. */
export function ownBackend(): Backend {
  const { backend } = testRun();
  if (backend !== undefined) return backend;
  throw new Error(
    'This test needs a Redis of its own beside TEST_REDIS_URL: start a Docker engine, or install redis-server.',
  );
}

/** Whether `redis-server` can be run on this machine. */
export function hasLocalRedis(): Promise<boolean> {
  return new Promise((answer) => {
    execFile('redis-server', ['--version'], (error) => answer(error === null));
  });
}
