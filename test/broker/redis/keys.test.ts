import { describe, expect, test } from '@jest/globals';
import { createKeys } from '../../../src/broker/redis/keys.ts';

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
