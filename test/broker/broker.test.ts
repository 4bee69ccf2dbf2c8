import { isRight } from 'fp-ts/lib/Either.js';
import { describe, expect, test } from '@jest/globals';
import { createBroker } from '../../src/broker/broker.ts';
import { load } from '../../src/config/load.ts';
import { folder } from '../config/loading.ts';
import { HeapClock } from '../support/heap-clock.ts';

describe('the broker that the configuration chose', () => {
  test('knows the key of a publish for as long as it says', async () => {
    const loaded = load({ cwd: folder(), env: { SIGNALBOX_PUBLISH_KEY_TTL_SECONDS: '3' } });
    if (!isRight(loaded)) throw new Error('it is no configuration');
    const clock = new HeapClock(1_700_000_000_000);
    const broker = createBroker(loaded.right, { clock, onNote() {} });
    const publish = async () => {
      const [outcome] = await broker.native.publishEvents([
        { channel: 'a', data: Buffer.from('1'), key: 'k' },
      ]);
      return outcome !== undefined && 'id' in outcome ? outcome.id : undefined;
    };
    const first = await publish();
    clock.increment(2_999);
    expect(await publish()).toBe(first);
    clock.increment(1);
    expect(await publish()).not.toBe(first);
    await broker.close();
  });
});
