import { type Either, isLeft, left, right, tryCatch } from 'fp-ts/lib/Either.js';

/** The `redis.*` keys a URL gives, by their last name. */
export type RedisParts = ReadonlyMap<string, string | number | boolean>;

/** A URL's parts, and the names of the query parameters that mean nothing here. */
export interface RedisUrl {
  readonly parts: RedisParts;
  readonly ignored: readonly string[];
}

const pattern = /^(redis|rediss|unix):\/\/(?:([^/?#@]*)@)?([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i;
const address = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]@\s]*)(?::(\d{1,5}))?$/;

const decoded = (text: string): Either<string, string> =>
  tryCatch(
    () => decodeURIComponent(text),
    () => 'a user name or password in it is not percent-encoded',
  );

/** Sets a name when there is something to set; answers what is wrong with it. */
const put = (parts: Map<string, string | number | boolean>, name: string, text: string | undefined) => {
  if (text === undefined || text === '') return undefined;
  const plain = decoded(text);
  if (isLeft(plain)) return plain.left;
  if (name !== 'db') parts.set(name, plain.right);
  else if (/^\d{1,9}$/.test(plain.right)) parts.set(name, Number(plain.right));
  else return 'its database is not a number';
  return undefined;
};

const queryKeys: ReadonlySet<string> = new Set(['db', 'username', 'password']);

/**
 * Takes `redis://`, `rediss://` and `unix://` URLs apart, as redis-py and ioredis write them.
 *
 * Not `new URL`: it refuses `unix://user:password@/path`. Left is what is wrong, without any part of the URL.
 */
export const parseRedisUrl = (text: string): Either<string, RedisUrl> => {
  const found = pattern.exec(text.trim());
  if (found === null) return left('its form is not known');
  const [, scheme = '', login = '', authority = '', path = '', query = ''] = found;
  const parts = new Map<string, string | number | boolean>();
  const colon = login.indexOf(':');
  const unix = scheme.toLowerCase() === 'unix';
  const [, host = '', port] = address.exec(authority) ?? [];
  if (unix && authority !== '') return left('unix:// takes three slashes and a path');
  if (unix && path.length < 2) return left('it has no path');
  if (!unix && authority !== '' && !address.test(authority)) return left('its host or port is not valid');
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) return left('its port is not valid');

  const parameters = query.split('&').map((pair) => pair.split(/=(.*)/s));
  const wrong = [
    put(parts, 'username', colon === -1 ? login : login.slice(0, colon)),
    put(parts, 'password', colon === -1 ? undefined : login.slice(colon + 1)),
    put(parts, unix ? 'path' : 'host', unix ? path : host.replace(/^\[|\]$/g, '')),
    unix ? undefined : put(parts, 'db', path.slice(1)),
    ...parameters.map(([name = '', value]) => (queryKeys.has(name) ? put(parts, name, value) : undefined)),
  ].find((reason) => reason !== undefined);
  if (wrong !== undefined) return left(wrong);
  if (port !== undefined) parts.set('port', Number(port));
  if (scheme.toLowerCase() === 'rediss') parts.set('ssl', true);
  // A host in the URL wins over a socket's path that was set elsewhere.
  if (!unix && host !== '') parts.set('path', '');
  const names = parameters.map(([name = '']) => name);
  return right({ parts, ignored: names.filter((name) => name !== '' && !queryKeys.has(name)) });
};
