import { describe, expect, test } from '@jest/globals';
import { loaded, problems, secret } from './loading.ts';

const env = { JWT_SECRET: secret };

describe('the keys of the native protocol', () => {
  test('have these defaults', () => {
    const { config } = loaded({ env });
    expect(config).toMatchObject({
      native: { audience: 'signalbox', cookieName: 'signalbox', prefix: 'signalbox:' },
      ticket: { ttlSeconds: 60 },
      maxSubscriptionsPerSocket: 128,
      limits: { framesPerSecond: 50, asksInFlight: 16 },
      askTimeoutMs: 5000,
      publish: { keyTtlSeconds: 120, maxBatch: 1000 },
    });
  });

  test.each(['signalbox.ticket', 'superset-websocket'])(
    'do not take %s for the audience: its tokens are no native ones',
    (audience) => {
      expect(problems({ env: { ...env, SIGNALBOX_NATIVE_AUDIENCE: audience } })).toEqual([
        expect.objectContaining({
          code: 'bad_value',
          key: 'native.audience',
          expected: expect.stringContaining('a name of your own'),
        }),
      ]);
    },
  );

  test.each([
    ['SIGNALBOX_NATIVE_COOKIE_NAME', 'a b', 'native.cookieName'],
    ['SIGNALBOX_TICKET_TTL_SECONDS', '0', 'ticket.ttlSeconds'],
    ['SIGNALBOX_TICKET_TTL_SECONDS', '3601', 'ticket.ttlSeconds'],
    ['SIGNALBOX_LIMITS_FRAMES_PER_SECOND', '0', 'limits.framesPerSecond'],
    ['SIGNALBOX_PUBLISH_MAX_BATCH', '0', 'publish.maxBatch'],
  ])('do not take %s=%s', (name, value, key) => {
    expect(problems({ env: { ...env, [name]: value } })).toEqual([
      expect.objectContaining({ code: 'bad_value', key }),
    ]);
  });
});
