// Makes a Redis image from this machine's redis-server:  node scripts/redis-image.mjs [tag]
//
// It stands in for the official image where no registry can be reached (REDIS_IMAGE names it to the tests), and
// behaves like it: a command of options, or of `redis-server` or `redis-sentinel` with options, and no protected
// mode, which would refuse every connection from outside the container.
import { importImage, which } from './host-image.mjs';

const tag = process.argv[2] ?? 'signalbox-redis:local';

const ENTRYPOINT = `#!/bin/sh
set -e
case "$1" in -*|*.conf) set -- redis-server "$@" ;; esac
if [ "$1" = redis-server ] || [ "$1" = redis-sentinel ]; then set -- "$@" --protected-mode no; fi
exec "$@"
`;

const server = which('redis-server');
await importImage({
  tag,
  programs: {
    '/usr/local/bin/redis-server': server,
    // The server is a sentinel, too, when it is called so.
    '/usr/local/bin/redis-sentinel': server,
    '/usr/local/bin/redis-cli': which('redis-cli'),
    '/bin/sh': which('dash'),
  },
  files: { '/usr/local/bin/docker-entrypoint.sh': { text: ENTRYPOINT, mode: 0o755 } },
  empty: ['/data', '/tmp'],
  changes: [
    'ENV PATH=/usr/local/bin:/usr/bin:/bin',
    'WORKDIR /data',
    'VOLUME /data',
    'EXPOSE 6379',
    'ENTRYPOINT ["docker-entrypoint.sh"]',
    'CMD ["redis-server"]',
  ],
});
console.log(tag);
