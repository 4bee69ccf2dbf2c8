import { describe, expect, test } from '@jest/globals';
import { createNativeKeys } from '../../src/broker/redis/keys.ts';
import { NATIVE_PUBLISH_SCRIPT } from '../../src/broker/redis/native-publish-script.ts';
import { nativeFields } from '../../src/event/native-entry.ts';
import { ZERO_ID } from '../../src/event/stream-id.ts';
import { blocks, pageAt, rowsBelow } from './pages.ts';

const page = pageAt('docs/redis.md');
const named = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);

describe('the page on native channels in Redis', () => {
  test('holds the script as it is run', () => {
    expect(blocks(page, 'lua')).toEqual([NATIVE_PUBLISH_SCRIPT.trimStart()]);
  });

  test('names the keys as they are', () => {
    const keys = createNativeKeys({ streamPrefix: 's', nativePrefix: 'signalbox:', isCluster: false });
    expect(rowsBelow(page, 'Keys').flatMap(([cell]) => named(cell))).toEqual([
      keys.firehose,
      keys.channel('<channel>'),
      keys.snapshot('<channel>'),
      keys.key('<key>'),
      keys.epoch,
      keys.control,
      keys.instances,
      keys.revoked,
      keys.claim('<key>'),
    ]);
  });

  test('names the fields as they are', () => {
    const fields = nativeFields('a', 't', Buffer.from('1'), ZERO_ID, 'w');
    const names = fields.filter((_, at) => at % 2 === 0).map(String);
    expect(rowsBelow(page, 'Fields').flatMap(([cell]) => named(cell))).toEqual(names);
  });
});
