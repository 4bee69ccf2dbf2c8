import { z } from 'zod';
import { key, notNegative, port } from './key.ts';

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;

/** What the server says about itself. */
export const telemetryKeys = {
  logLevel: key(z.enum(logLevels).default('info'), {
    env: 'LOG_LEVEL',
    description: 'The least important line that is logged; in any case.',
  }),
  logToFile: key(z.boolean().default(false), {
    env: 'LOG_TO_FILE',
    description: 'Log to logFilename as well as to standard output.',
  }),
  logFilename: key(z.string().min(1).default('app.log'), {
    env: 'LOG_FILENAME',
    description: 'The file of logToFile.',
  }),
  statsd: z
    .strictObject({
      host: key(z.string().min(1).default('127.0.0.1'), {
        env: 'STATSD_HOST',
        description: 'Where metrics are sent, over UDP.',
      }),
      port: key(port.min(1).default(8125), { env: 'STATSD_PORT', description: 'Its port.' }),
      globalTags: key(z.array(z.string()).default([]), {
        env: 'STATSD_GLOBAL_TAGS',
        description: 'Tags on every metric.',
      }),
    })
    .prefault({}),
  inspect: z
    .strictObject({
      stately: key(z.boolean().default(false), {
        env: 'SIGNALBOX_INSPECT_STATELY',
        description: "Send what the actors do (types, ids, states; no payloads) to Stately's inspector.",
      }),
      journal: z
        .strictObject({
          enabled: key(z.boolean().default(true), {
            env: 'SIGNALBOX_INSPECT_JOURNAL_ENABLED',
            description:
              'Note in memory what becomes of sockets, so that it can be said why an event did not arrive.',
          }),
          keepSeconds: key(notNegative.default(600), {
            env: 'SIGNALBOX_INSPECT_JOURNAL_KEEP_SECONDS',
            description: 'How long a socket is known after it has gone.',
          }),
          maxSockets: key(notNegative.default(10_000), {
            env: 'SIGNALBOX_INSPECT_JOURNAL_MAX_SOCKETS',
            description: 'How many sockets that have gone are known; the oldest is forgotten first.',
          }),
        })
        .prefault({}),
    })
    .prefault({}),
};
