import { z } from 'zod';
import { key, notNegative, port, positive } from './key.ts';

/** Where the server listens, and how it starts and ends. */
export const serverKeys = {
  port: key(port.default(8080), {
    env: 'PORT',
    description: 'The TCP port to listen on. 0: any free one.',
  }),
  host: key(z.string().default(''), {
    env: 'SIGNALBOX_HOST',
    defaultText: 'all interfaces; 127.0.0.1 in development mode',
    description: 'The address to listen on. Empty: every interface, IPv6 and IPv4.',
  }),
  trustProxy: key(z.boolean().default(false), {
    env: 'SIGNALBOX_TRUST_PROXY',
    description:
      'Take the client address from X-Forwarded-For: its last one, which the nearest proxy has put there. Only behind a proxy that does.',
  }),
  broker: key(z.enum(['auto', 'redis', 'memory']).default('auto'), {
    env: 'SIGNALBOX_BROKER',
    description:
      'Where events are kept. auto: memory in development mode (no redis key, no secret, no config file, NODE_ENV not production), otherwise redis.',
  }),
  workers: key(z.union([positive.max(256), z.literal('auto')]).default(1), {
    env: 'SIGNALBOX_WORKERS',
    description:
      'How many processes serve, sharing the port. auto: one for each core. More than one needs Redis.',
  }),
  drainMs: key(notNegative.default(5000), {
    env: 'SIGNALBOX_DRAIN_MS',
    unit: 'ms',
    description: 'On SIGTERM, the time over which open sockets are closed.',
  }),
  maxBodyBytes: key(positive.default(1_048_576), {
    env: 'SIGNALBOX_MAX_BODY_BYTES',
    unit: 'bytes',
    description: 'The largest body of an HTTP request.',
  }),
  strict: key(z.boolean().default(true), {
    env: 'SIGNALBOX_STRICT',
    description: 'false: an unknown key in the config file is a warning instead of an error.',
  }),
};
