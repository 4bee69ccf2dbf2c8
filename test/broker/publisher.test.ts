import { describe, expect, jest, test } from '@jest/globals';
import { BrokerError, type BrokerErrorCode } from '../../src/broker/broker-error.ts';
import type { NativeLog, Outcome, Publication } from '../../src/broker/ports.ts';
import { createPublisher } from '../../src/broker/publisher.ts';
import type { StreamId } from '../../src/event/stream-id.ts';

const event: Publication = { channel: 'a', data: Buffer.from('1') };
const id = '5-1' as StreamId;
const failure = (code: BrokerErrorCode) => new BrokerError(code, `it is ${code}`);

/** A log whose calls end as said, one after the other. */
function publisherOf(...ends: (Error | readonly Outcome[])[]) {
  const publishEvents = jest.fn<NativeLog['publishEvents']>(async () => {
    const end = ends.shift() ?? [];
    if (end instanceof Error) throw end;
    return end;
  });
  let keys = 0;
  const publisher = createPublisher({ publishEvents }, () => {
    keys += 1;
    return `own ${keys}`;
  });
  const keysOf = () => publishEvents.mock.calls.map(([publications]) => publications.map(({ key }) => key));
  return { publisher, keysOf };
}

describe('a publisher', () => {
  test('gives every event a key: its own, or one that nobody else has', async () => {
    const { publisher, keysOf } = publisherOf([{ id }, { id }, { id }], [{ id }]);
    await publisher.publishAll([event, { ...event, key: 'mine' }, event]);
    expect(await publisher.publish(event)).toBe(id);
    expect(keysOf()).toEqual([['own 1', 'mine', 'own 2'], ['own 3']]);
  });

  test.each(['lost', 'timeout', 'closed'] as const)(
    'asks once more, with the same keys, when the answer is %s',
    async (code) => {
      const { publisher, keysOf } = publisherOf(failure(code), [{ id }]);
      expect(await publisher.publish(event)).toBe(id);
      expect(keysOf()).toEqual([['own 1'], ['own 1']]);
    },
  );

  test.each([{ error: failure('unavailable') }, { error: new Error('OOM') }])(
    'does not ask again when nothing was written ($error.message)',
    async ({ error }) => {
      const { publisher, keysOf } = publisherOf(error);
      await expect(publisher.publishAll([event])).rejects.toBe(error);
      expect(keysOf()).toHaveLength(1);
    },
  );

  test.each([
    { again: failure('timeout') },
    { again: failure('unavailable') },
    { again: failure('closed') },
    { again: new Error('LOADING') },
  ])(
    'still says that it is not known when asking again ends otherwise ($again.message)',
    async ({ again }) => {
      const { publisher, keysOf } = publisherOf(failure('lost'), again);
      await expect(publisher.publish(event)).rejects.toMatchObject({
        code: 'lost',
        message: expect.stringContaining(again.message),
      });
      expect(keysOf()).toHaveLength(2);
    },
  );

  test('tells what was wrong with one event, and does not ask again', async () => {
    const wrong = new Error('WRONGTYPE');
    const { publisher, keysOf } = publisherOf([{ error: wrong }], [{ error: wrong }, { id }]);
    await expect(publisher.publish(event)).rejects.toBe(wrong);
    expect(await publisher.publishAll([event, event])).toEqual([{ error: wrong }, { id }]);
    expect(keysOf()).toHaveLength(2);
  });
});
