import { describe, expect, test } from '@jest/globals';
import { createChannelCheck } from '../../src/upstream/channel-check.ts';
import { isCollected } from '../../src/upstream/collect.ts';

const ownPrefixes = ['signalbox:', 'async-events-', ''];

describe('a channel that an application names', () => {
  const native = createChannelCheck({ source: 'native', ownPrefixes });
  const pubsub = createChannelCheck({ source: 'pubsub', ownPrefixes });

  test.each(['clock', 'a.b:c/d-e_1'])('may be %s', (name) => {
    expect([native(name), pubsub(name)]).toEqual([undefined, undefined]);
  });

  test.each(['', 'x'.repeat(201), '__keyevent@0__:set', 'a\nb', 'signalbox:$all', 'async-events-full'])(
    'may not be %j',
    (name) => {
      expect([native(name), pubsub(name)]).toEqual([expect.any(String), expect.any(String)]);
    },
  );

  test.each(['user:5', 'session:1', 'full', '$all', 'météo', 'a b'])('may be %s in Pub/Sub only', (name) => {
    expect([native(name), pubsub(name)]).toEqual([expect.any(String), undefined]);
  });

  test('is one of the route’s, where the route names them', () => {
    const check = createChannelCheck({ source: 'pubsub', ownPrefixes, patterns: ['clock', 'public:*'] });
    expect(['clock', 'public:', 'public:a'].map(check)).toEqual([undefined, undefined, undefined]);
    expect(['clocks', 'publi', 'private:a'].map(check)).toEqual(Array(3).fill(expect.any(String)));
  });

  test('may not be ours even where a pattern has it', () => {
    const check = createChannelCheck({ source: 'pubsub', ownPrefixes, patterns: ['*'] });
    expect(check('signalbox:$all')).toEqual(expect.any(String));
  });

  test('is none where the route names none', () => {
    expect(createChannelCheck({ source: 'pubsub', ownPrefixes, patterns: [] })('a')).toEqual(
      expect.any(String),
    );
  });
});

describe('the headers that an answer must have', () => {
  test.each([
    [{}, true],
    [{ 'content-type': 'text/event-stream' }, true],
    [{ 'Content-Type': 'TEXT/event-stream ' }, true],
    [{ 'Content-Type': 'text/event-stream; charset=UTF-8' }, true],
    [{ 'Content-Type': 'text/event-stream;charset=utf-8' }, false],
    [{ 'Content-Type': 'text/event' }, false],
    [{ 'X-Many': 'two' }, true],
    [{ 'X-Many': 'two', 'X-None': '' }, false],
  ])('%j: %s', (collect, isThere) => {
    const raw = ['Content-Type', 'text/event-stream; charset=utf-8', 'x-many', 'one', 'X-Many', 'two'];
    expect(isCollected(raw, collect)).toBe(isThere);
  });
});
