import { describe, expect, test } from '@jest/globals';
import type { State } from '../../client/src/index.ts';
import { A_MOMENT_MS, setup } from './support/setup.ts';

/** What docs/from-super-scaled-sockets.md promises of the client and no other test shows. */
describe('what pages of super-scaled-sockets do', () => {
  test('one that is not to come back closes itself when it is stale', async () => {
    const { server, connection, advance } = setup();
    connection.onState((state) => state === 'stale' && connection.close());
    await advance(A_MOMENT_MS);
    server.wire.cut(true);
    await advance(60_000);
    expect(connection.state).toBe('closed');
    expect(server.frames.filter(({ type }) => type === 'hello')).toHaveLength(1);
  });

  test('one that does not wait for ever closes itself after a time', async () => {
    const { server, connection, advance } = setup();
    let giveUp: unknown;
    connection.onState((state) => {
      if (state === 'stale') giveUp = server.clock.setTimeout(() => connection.close(), 30_000);
      if (state === 'live') server.clock.clearTimeout(giveUp);
    });
    await advance(A_MOMENT_MS);
    server.wire.cut(true);
    await advance(60_000);
    expect(connection.state).toBe('live');
    server.wire.isUp = false;
    server.wire.cut(true);
    await advance(29_000);
    expect(connection.state).toBe('stale');
    await advance(2_000);
    expect(connection.state).toBe('closed');
  });

  test('one that was booted is told why, as are its subscriptions, and does not come back', async () => {
    const { server, connection, advance } = setup();
    const sport = connection.subscribe('sport');
    await advance(A_MOMENT_MS);
    server.end(4410, 'you know why');
    await advance(60_000);
    expect([connection.state, sport.state]).toEqual(['closed', 'closed']);
    expect(connection.error).toMatchObject({
      code: 'closed',
      message: expect.stringContaining('you know why'),
    });
    expect(sport.error).toBe(connection.error);
    expect(server.frames.filter(({ type }) => type === 'hello')).toHaveLength(1);
  });

  test('both states, the one before and the one now, are there to be told of', async () => {
    const { server, connection, advance } = setup();
    let before: State = connection.state;
    const changes: string[] = [];
    connection.onState((now) => {
      changes.push(`${before} to ${now}`);
      before = now;
    });
    await advance(A_MOMENT_MS);
    server.wire.cut(true);
    await advance(60_000);
    connection.close();
    expect(changes[0]).toBe('connecting to live');
    expect(changes).toContain('live to stale');
    expect(changes.at(-1)).toBe('live to closed');
  });
});
