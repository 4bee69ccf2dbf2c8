import { describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { hookKey } from '../../src/config/hook-key.ts';
import { signHook } from '../../src/decider/hook-signature.ts';

const keyOf = (secret: string): Buffer => hookKey(secret) as Buffer;
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const next = `whsec_${Buffer.from('another key of thirty two bytes!').toString('base64')}`;

describe('the signature of a request to a hook', () => {
  test('is the one that Standard Webhooks publishes as its example', () => {
    const message = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      nowMs: 1_614_265_330_999,
      body: Buffer.from('{"test": 2432232314}'),
    };
    expect(signHook([keyOf(secret)], message)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  const body = Buffer.from('{"hook":"tell","data":"Grüße"}');
  const message = { id: 'msg_1', nowMs: Date.now(), body };

  test.each([
    ['of whsec_', secret, new Webhook(secret)],
    [
      'that is a text',
      'a secret in plain letters',
      new Webhook('a secret in plain letters', { format: 'raw' }),
    ],
  ])('by a secret %s is verified by its library', (_, text, webhook) => {
    const headers = { ...signHook([keyOf(text)], message) };
    expect(webhook.verify(body, headers)).toEqual({ hook: 'tell', data: 'Grüße' });
    expect(() => webhook.verify('{}', headers)).toThrow('No matching signature found');
  });

  test('by two secrets is verified by whoever has one of them', () => {
    const headers = { ...signHook([keyOf(next), keyOf(secret)], message) };
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body.toString()));
    expect(new Webhook(next).verify(body, headers)).toEqual(JSON.parse(body.toString()));
    const stranger = new Webhook(Buffer.from('a key that nobody has signed with').toString('base64'));
    expect(() => stranger.verify(body, headers)).toThrow('No matching signature found');
  });
});
