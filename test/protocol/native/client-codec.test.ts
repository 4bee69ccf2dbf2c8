import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as Either from 'fp-ts/lib/Either.js';
import { decodeClientFrame } from '../../../src/protocol/native/client-codec.ts';
import { ERRORS } from '../../../src/protocol/native/error-codes.ts';
import { clientFrames, clientText, refs } from '../../support/native-frames.ts';

const decoded = (text: string) => {
  const frame = decodeClientFrame(text);
  if (Either.isLeft(frame)) throw new Error(frame.left.message);
  return frame.right;
};
const refused = (text: string) => {
  const frame = decodeClientFrame(text);
  return Either.isLeft(frame) ? frame.left : 'understood';
};

describe('a frame of a client', () => {
  test('is read as it was meant, in any order of its members, with whatever else they hold', () => {
    fc.assert(
      fc.property(clientFrames, fc.array(fc.nat(10)), (frame, order) => {
        expect(decoded(clientText(frame, order))).toEqual(frame);
      }),
      { numRuns: 500 },
    );
  });

  test('has what is the application’s as it was written', () => {
    const data = '{ "b":12345678901234567890, "a":1.0, "\\u0041":"é", "2":1, "1":[] }';
    expect(decoded(`{"type":"publish","ref":1,"channel":"c","topic":"t","data":${data}}`)).toHaveProperty(
      'data',
      data,
    );
    expect(decoded(`{"data":${data} ,"type":"ask","ref":1,"topic":"t"}`)).toHaveProperty('data', data);
    expect(decoded(`{"type":"subscribe","ref":1,"channel":"c","query":${data}}`)).toHaveProperty(
      'query',
      data,
    );
  });

  test('may have data that is null, which is not the same as none', () => {
    expect(decoded('{"type":"tell","topic":"t","data":null}')).toEqual({
      type: 'tell',
      topic: 't',
      data: 'null',
    });
    expect(decoded('{"type":"tell","topic":"t"}')).toEqual({ type: 'tell', topic: 't' });
  });

  test('may hold a position for __proto__, which is a key like any other', () => {
    const frame = decoded('{"type":"hello","ref":0,"positions":{"__proto__":"5-1","user:5":"6-0"}}');
    expect(frame).toEqual({
      type: 'hello',
      ref: 0,
      positions: new Map([
        ['__proto__', '5-1'],
        ['user:5', '6-0'],
      ]),
    });
  });

  test('of 64 KiB of brackets is no trouble', () => {
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    expect(decoded(`{"type":"tell","topic":"t","data":${deep}}`)).toHaveProperty('data', deep);
  });
});

describe('a frame that is refused', () => {
  test.each([
    ['', 'broken where it ends, too early'],
    ['{"type":"pong"', 'broken where it ends, too early'],
    ['{"type":}', 'broken at position 8'],
    ['hello', 'broken at position 0'],
    ['[]', 'The frame is a list'],
    ['null', 'The frame is null'],
    ['5', 'The frame is 5'],
    ['{}', 'type is missing'],
    ['{"type":5}', 'type is 5'],
    ['{"type":null}', 'type is null'],
  ])('%s says what came', (text, words) => {
    expect(refused(text)).toEqual({ code: 'bad_request', message: expect.stringContaining(words) });
  });

  test.each(['subscibe', 'Subscribe', '', '__proto__', 'constructor', 'toString', 'welcome'])(
    'for its type %j says which there are',
    (type) => {
      expect(refused(JSON.stringify({ type, ref: 7 }))).toEqual({
        code: 'unknown_type',
        ref: 7,
        message: expect.stringContaining(
          `${JSON.stringify(type)} is not known here; expected one of hello, subscribe, unsubscribe, ask, tell, publish, refresh, pong`,
        ),
      });
    },
  );

  test.each([
    ['{"type":"hello"}', 'hello: ref is missing; expected an integer'],
    ['{"type":"hello","ref":1.5}', 'ref is 1.5; expected an integer'],
    ['{"type":"hello","ref":9007199254740993}', 'ref is 9007199254740992'],
    [`{"type":"hello","ref":"${'x'.repeat(65)}"}`, 'ref is "xxxxx'],
    ['{"type":"hello","ref":null}', 'ref is null'],
    ['{"type":"hello","ref":[1]}', 'ref is a list'],
    ['{"type":"tell","topic":"t","ref":{}}', 'tell: ref is an object'],
  ])('%s for its ref cannot name it', (text, words) => {
    expect(refused(text)).toEqual({ code: 'bad_request', message: expect.stringContaining(words) });
  });

  test.each([
    ['{"type":"hello","ref":1,"positions":[]}', 'hello: positions is a list; expected an object'],
    ['{"type":"hello","ref":1,"positions":{"user:5":"5"}}', 'positions is an object'],
    ['{"type":"hello","ref":1,"epoch":5}', 'epoch is 5'],
    ['{"type":"subscribe","ref":1}', 'subscribe: channel is missing'],
    ['{"type":"subscribe","ref":1,"channel":"a b"}', 'channel is "a b"; expected 1 to 200 characters'],
    ['{"type":"subscribe","ref":1,"channel":"_a"}', 'channel is "_a"'],
    ['{"type":"subscribe","ref":1,"channel":"full"}', 'channel is "full"'],
    ['{"type":"subscribe","ref":1,"channel":"$all"}', 'channel is "$all"'],
    ['{"type":"subscribe","ref":1,"channel":["a"]}', 'channel is a list'],
    ['{"type":"subscribe","ref":1,"channel":"a","lastId":"$"}', 'lastId is "$"; expected an id'],
    ['{"type":"subscribe","ref":1,"channel":"a","lastId":null}', 'lastId is null'],
    ['{"type":"unsubscribe","ref":1}', 'unsubscribe: channel is missing'],
    ['{"type":"ask","ref":1,"topic":"gap"}', 'ask: topic is "gap"'],
    ['{"type":"ask","ref":1,"topic":""}', 'topic is ""'],
    ['{"type":"tell","ref":1,"topic":"$a"}', 'tell: topic is "$a"'],
    [
      '{"type":"publish","ref":1,"channel":"a","topic":"t"}',
      'publish: data is missing; expected any JSON value',
    ],
    ['{"type":"publish","ref":1,"channel":"a","data":1}', 'topic is missing'],
    ['{"type":"publish","ref":1,"channel":"a","topic":"t","data":1,"key":""}', 'key is ""'],
    ['{"type":"publish","ref":1,"channel":"a","topic":"t","data":1,"key":"a b"}', 'key is "a b"'],
    ['{"type":"publish","ref":1,"channel":"a","topic":"t","data":1,"echo":0}', 'echo is 0'],
    ['{"type":"refresh","ref":1}', 'refresh: token is missing'],
  ])('%s for a field says what came, what was expected and what to do', (text, words) => {
    expect(refused(text)).toEqual({
      code: 'bad_request',
      ref: 1,
      message: expect.stringMatching(/; expected .+ Correct it and send the frame again\.$/),
    });
    expect(refused(text)).toHaveProperty('message', expect.stringContaining(words));
  });

  test.each([
    ['subscribe', 'user:5'],
    ['subscribe', 'session:a%40b'],
    ['unsubscribe', 'user:5'],
    ['publish', 'user:'],
  ])('%s of %s is forbidden: the server subscribes it', (type, channel) => {
    expect(refused(JSON.stringify({ type, ref: 1, channel, topic: 't', data: 1 }))).toEqual({
      code: 'forbidden',
      ref: 1,
      message: expect.stringContaining('after hello'),
    });
  });

  test('repeats no token, and no more than an excerpt of anything', () => {
    expect(refused('{"type":"refresh","ref":1,"token":["secret"]}')).toHaveProperty(
      'message',
      expect.not.stringContaining('secret'),
    );
    const long = JSON.stringify({ type: 'subscribe', ref: 1, channel: ' '.repeat(60_000) });
    expect((refused(long) as { message: string }).message.length).toBeLessThan(300);
  });
});

describe('any text', () => {
  const types = fc.constantFrom('hello', 'subscribe', 'ask', 'tell', 'publish', 'refresh', 'pong', 'x');
  const nearly = fc
    .record(
      {
        type: types,
        ref: fc.oneof(refs, fc.jsonValue()),
        channel: fc.oneof(fc.constant('c'), fc.jsonValue()),
        topic: fc.oneof(fc.constant('t'), fc.jsonValue()),
        data: fc.jsonValue(),
        positions: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
        token: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value));
  const pieces = fc
    .array(
      fc.constantFrom('{', '}', '"type"', ':', '"ask"', ',', '"ref"', '1', '"', '\\', '[', ']', '\ud800'),
    )
    .map((parts) => parts.join(''));

  test('is an answer, never an error', () => {
    fc.assert(
      fc.property(fc.oneof(nearly, pieces, fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const frame = decodeClientFrame(text);
        const isAnswer =
          Either.isRight(frame) || (frame.left.code in ERRORS && frame.left.message.length < 1000);
        expect(isAnswer).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('with a ref that can be read has it in its answer', () => {
    fc.assert(
      fc.property(nearly, refs, (text, ref) => {
        const frame = decodeClientFrame(JSON.stringify({ ...(JSON.parse(text) as object), ref }));
        const { ref: echoed } = Either.isLeft(frame) ? frame.left : { ref, ...frame.right };
        expect(echoed).toBe(ref);
      }),
    );
  });
});
