import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { connect, type SignalboxError } from '../../client/src/index.ts';
import { MAX_PUBLISHES_IN_FLIGHT } from '../../src/protocol/native/session.ts';
import { TestServer } from './support/server.ts';

const step = fc.oneof(
  fc.constant('publish' as const),
  fc.constant('publish' as const),
  fc.constant('publish' as const),
  fc.constant('cut' as const),
  fc.constant('silence' as const),
  fc.integer({ min: 0, max: 3000 }),
);

describe('a publish', () => {
  test('is applied once and in order, whatever happens to its connections, and answered with its id', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 60, size: 'max' }), async (seed, steps) => {
        const server = new TestServer({ seed });
        const connection = connect('ws://server/', server.options);
        const published: Promise<string>[] = [];
        for (const next of steps) {
          if (next === 'publish') published.push(connection.publish('a', 'b', published.length));
          else if (typeof next === 'number') await server.clock.advance(next);
          else server.wire.cut(next === 'cut');
        }
        await server.clock.advance(200_000);
        const ids = await Promise.all(published);
        expect(server.log.map(({ data }) => Number(data))).toEqual(published.map((_, at) => at));
        expect(server.log.map(({ id }) => id)).toEqual(ids);
        expect(server.faults).toEqual([]);
        connection.close();
      }),
      { numRuns: 200 },
    );
  });

  test('that may have been forgotten by the server is not sent again', async () => {
    const server = new TestServer();
    const connection = connect('ws://server/', server.options);
    await server.clock.advance(500);
    const published = connection.publish('a', 'b', 1).catch((error: SignalboxError) => error.code);
    server.wire.isUp = false;
    server.wire.cut(true);
    await server.clock.advance(101_000);
    server.wire.isUp = true;
    await server.clock.advance(60_000);
    expect(await published).toBe('lost');
    expect(server.log).toEqual([]);
    connection.close();
  });

  test('takes the key of the application', async () => {
    const server = new TestServer();
    const connection = connect('ws://server/', server.options);
    const ids = [1, 2].map((data) => connection.publish('a', 'b', data, { key: 'k', echo: false }));
    await server.clock.advance(500);
    const [first, second] = await Promise.all(ids);
    expect(first).toBe(second);
    expect(server.frames).toContainEqual({
      type: 'publish',
      ref: 1,
      channel: 'a',
      topic: 'b',
      data: '1',
      key: 'k',
      echo: false,
    });
  });

  test('waits while as many are under way as a socket may have', async () => {
    let received = 0;
    let settled = 0;
    let most = 0;
    const server = new TestServer({
      refuse() {
        received += 1;
        most = Math.max(most, received - settled);
        return undefined;
      },
    });
    const connection = connect('ws://server/', server.options);
    await server.clock.advance(500);
    received = 0;
    // A new connection may send 80 frames at once.
    const published = Array.from({ length: 75 }, (_, n) => connection.publish('a', 'b', n));
    for (const one of published) void one.then(() => (settled += 1));
    await server.clock.advance(500);
    expect(settled).toBe(published.length);
    expect(server.log.map(({ data }) => Number(data))).toEqual(published.map((_, n) => n));
    expect(most).toBeGreaterThan(MAX_PUBLISHES_IN_FLIGHT / 2);
    expect(most).toBeLessThanOrEqual(MAX_PUBLISHES_IN_FLIGHT);
    connection.close();
  });
});
