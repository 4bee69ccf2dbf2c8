import { describe, expect, test } from '@jest/globals';
import { createKeys, createNativeKeys } from '../../../src/broker/redis/keys.ts';

const PREFIXES = { streamPrefix: 'async-events-', nativePrefix: 'signalbox:' };

describe('redis keys', () => {
  test('are those of Superset, and ours beside them', () => {
    const keys = createKeys({ ...PREFIXES, isCluster: false });
    expect(keys.firehose).toBe('async-events-full');
    expect(keys.channel('abc')).toBe('async-events-abc');
    expect(keys.epoch).toBe('signalbox:$epoch');
    expect(keys.control).toBe('signalbox:$control');
    expect(keys.claim('t')).toBe('signalbox:$once:t');
    expect(keys.oneSlot).toBe(true);
  });

  test('a channel cannot be the firehose, nor share a key with another by its encoding', () => {
    const keys = createKeys({ ...PREFIXES, isCluster: false });
    expect(() => keys.channel('full')).toThrow(RangeError);
    expect(() => keys.channel('\ud83d')).toThrow(RangeError);
    expect(keys.channel('\u{1f682}')).toBe('async-events-\u{1f682}');
  });

  test('on a Cluster the epoch is kept beside the firehose, and one script reaches both streams only by a hash tag', () => {
    const bare = createKeys({ ...PREFIXES, isCluster: true });
    expect(bare.epoch).toBe('signalbox:$epoch:{async-events-full}');
    expect(bare.oneSlot).toBe(false);
    const tagged = createKeys({ ...PREFIXES, streamPrefix: '{sb}events-', isCluster: true });
    expect(tagged.epoch).toBe('signalbox:$epoch:{sb}');
    expect(tagged.oneSlot).toBe(true);
  });
});

describe('the keys of the native log', () => {
  test('have one prefix, and a noun that no name of another can continue', () => {
    const keys = createNativeKeys({ ...PREFIXES, isCluster: false });
    expect(keys.firehose).toBe('signalbox:$all');
    expect(keys.epoch).toBe('signalbox:$epoch');
    expect(keys.control).toBe('signalbox:$control');
    expect(keys.channel('$all')).toBe('signalbox:c:$all');
    expect(keys.key('a')).toBe('signalbox:$key:a');
    expect(keys.snapshot('full')).toBe('signalbox:$snapshot:full');
    for (const make of [keys.channel, keys.key, keys.snapshot]) {
      expect(() => make('\ud83d')).toThrow(RangeError);
    }
  });

  test.each([
    ['signalbox:', '{signalbox:}'],
    ['{sb}app:', '{sb}app:'],
    ['', '{$}'],
    ['a{b', '{a{b}'],
    ['}', '{$}}'],
  ])('on a Cluster are in one slot: the prefix %j becomes %j', (nativePrefix, expected) => {
    const keys = createNativeKeys({ ...PREFIXES, nativePrefix, isCluster: true });
    expect(keys.oneSlot).toBe(true);
    const all = [keys.firehose, keys.epoch, keys.channel('{x}'), keys.key('{y}'), keys.snapshot('{z}')];
    for (const key of all) expect(key.startsWith(expected)).toBe(true);
  });
});
