import { z } from 'zod';
import { key, port } from './key.ts';

/** Shorter ones can be guessed by whoever may try often enough. */
export const LEAST_ADMIN_TOKEN = 24;

/** The listener for operators: the panel, metrics, and what the command line asks. */
export const adminKeys = {
  admin: z
    .strictObject({
      enabled: key(z.boolean().default(false), {
        env: 'SIGNALBOX_ADMIN_ENABLED',
        defaultText: 'false; true in development mode',
        description:
          'Serve the panel (/inspect) and Prometheus metrics (/metrics) on a listener of their own.',
      }),
      host: key(z.string().min(1).default('127.0.0.1'), {
        env: 'SIGNALBOX_ADMIN_HOST',
        description:
          'The address that it listens on. Beyond this machine only behind something that adds TLS: the token is sent over it.',
      }),
      port: key(port.default(8090), {
        env: 'SIGNALBOX_ADMIN_PORT',
        defaultText: '8090; 0 in development mode',
        description: 'Its TCP port. 0: any free one, which the log names.',
      }),
      token: key(
        z
          .string()
          .regex(/^[!-~]*$/)
          .default(''),
        {
          env: 'SIGNALBOX_ADMIN_TOKEN',
          secret: true,
          expected: `at least ${LEAST_ADMIN_TOKEN} printable ASCII characters without spaces`,
          defaultText: 'none; a random one in development mode',
          description: `What whoever comes there has to know, at least ${LEAST_ADMIN_TOKEN} characters: typed into its login form, or sent as Authorization: Bearer.`,
        },
      ),
    })
    .prefault({}),
};
