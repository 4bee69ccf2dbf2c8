import { describe, expect, test } from '@jest/globals';
import { readAsk, readNotice, readSnapshot, readVerdict } from '../../src/decider/hook-answer.ts';

const reply = (status: number, body: unknown = '') => ({
  status,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const unavailable = { code: 'unavailable' };

describe('what an answer of a hook means', () => {
  test.each([
    ['connect', 200, 'allowed', undefined],
    ['subscribe', 204, 'allowed', undefined],
    ['tell', 299, 'allowed', undefined],
    ['subscribe', 400, 'refused', { code: 'forbidden' }],
    ['connect', 401, 'refused', { code: 'unauthorized' }],
    ['connect', 403, 'refused', { code: 'forbidden' }],
    ['subscribe', 404, 'refused', { code: 'forbidden' }],
    ['tell', 404, 'refused', { code: 'no_handler' }],
    ['tell', 429, 'refused', { code: 'rate_limited' }],
    ['subscribe', 499, 'refused', { code: 'forbidden' }],
    ['subscribe', 301, 'failed', unavailable],
    ['subscribe', 302, 'failed', unavailable],
    ['connect', 304, 'failed', unavailable],
    ['subscribe', 500, 'failed', unavailable],
    ['tell', 503, 'failed', unavailable],
  ] as const)('to %s, %d is %s', (hook, status, outcome, result) => {
    expect(readVerdict(hook)(reply(status))).toEqual({ outcome, result });
  });

  test.each([
    [200, { data: { a: 1 } }, 'allowed', { data: '{"a":1}' }],
    [201, ' {"x":1, "data" : 12345678901234567890 }', 'allowed', { data: '12345678901234567890' }],
    [200, { data: null }, 'allowed', { data: 'null' }],
    [204, '', 'allowed', { data: 'null' }],
    [200, '', 'malformed', unavailable],
    [200, '{"data":1', 'malformed', unavailable],
    [200, '[1]', 'malformed', unavailable],
    [200, { answer: 1 }, 'malformed', unavailable],
    [404, '', 'refused', { code: 'no_handler' }],
    [401, '', 'refused', { code: 'unauthorized' }],
    [502, { data: 1 }, 'failed', unavailable],
  ])('to an ask, %d with %j is %s', (status, body, outcome, result) => {
    expect(readAsk(reply(status, body))).toEqual({ outcome, result });
  });

  test.each([
    [200, { data: [1] }, 'allowed', { data: '[1]' }],
    [204, '', 'allowed', undefined],
    [404, { code: 'forbidden' }, 'allowed', undefined],
    [200, 'no JSON', 'malformed', unavailable],
    [403, '', 'refused', { code: 'forbidden' }],
    [500, '', 'failed', unavailable],
  ])('to a snapshot, %d with %j is %s', (status, body, outcome, result) => {
    expect(readSnapshot(reply(status, body))).toEqual({ outcome, result });
  });

  test('what is no UTF-8 is malformed', () => {
    const body = Buffer.from([...Buffer.from('{"data":"'), 0xff, ...Buffer.from('"}')]);
    expect(readAsk({ status: 200, body }).outcome).toBe('malformed');
  });

  test.each([
    [200, 'arrived'],
    [204, 'arrived'],
    [400, 'arrived'],
    [404, 'arrived'],
    [429, unavailable],
    [500, unavailable],
    [302, unavailable],
  ])('to what is only told, %d: it is %j', (status, result) => {
    expect(readNotice(reply(status)).result).toEqual(result);
  });
});

describe('the words of a refusal', () => {
  const refusal = (status: number, body: unknown) => readVerdict('subscribe')(reply(status, body)).result;

  test.each([
    [
      { code: 'too_many', message: 'Three are enough.' },
      { code: 'too_many', message: 'Three are enough.' },
    ],
    [
      { code: 'no_such_code', message: 'No.' },
      { code: 'forbidden', message: 'No.' },
    ],
    [{ code: 'toString' }, { code: 'forbidden' }],
    [{ code: 7, message: 8 }, { code: 'forbidden' }],
    [
      { title: 'Forbidden', detail: 'Not on Sundays.' },
      { code: 'forbidden', message: 'Not on Sundays.' },
    ],
    [
      { message: '', detail: 'Not on Sundays.' },
      { code: 'forbidden', message: 'Not on Sundays.' },
    ],
    ['<html>', { code: 'forbidden' }],
    ['["code"]', { code: 'forbidden' }],
  ])('of %j are %j', (body, result) => {
    expect(refusal(403, body)).toEqual(result);
  });

  test('are cut off at 300 characters, and not within one', () => {
    expect(refusal(403, { message: `a${'😀'.repeat(200)}` })).toEqual({
      code: 'forbidden',
      message: `a${'😀'.repeat(149)}`,
    });
  });
});
