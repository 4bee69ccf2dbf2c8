import { describe, expect, test } from '@jest/globals';
import { Channel } from '../../client/src/subscription.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import { Client } from '../../client/src/client.ts';
import type { ConnectOptions } from '../../client/src/connection.ts';
import { type ServerOptions, TestServer } from './support/server.ts';
import { A_MOMENT_MS, setup } from './support/setup.ts';

const event = (id: string, data: unknown) => ({
  type: 'event' as const,
  channel: 'a',
  topic: 'message',
  id: id as StreamId,
  time: 1,
  data: JSON.stringify(data) as never,
});

describe('a subscription', () => {
  test('hears its topics, and all of them with *', async () => {
    const { server, connection, advance } = setup();
    const heard: unknown[] = [];
    const subscription = connection.subscribe('a', { query: { team: 7 } });
    subscription.on('goal', (data, { id, time, topic }) => heard.push(['goal', data, id, time, topic]));
    subscription.on('*', (data) => heard.push(data));
    await advance(A_MOMENT_MS);
    const id = server.append('a', 1, 'goal');
    server.append('a', 2, 'foul');
    server.append('b', 3, 'goal');
    await advance(A_MOMENT_MS);
    expect(heard).toEqual([['goal', 1, id, Number(id.split('-')[0]), 'goal'], 1, 2]);
    expect(server.frames).toContainEqual({ type: 'subscribe', ref: 1, channel: 'a', query: '{"team":7}' });
  });

  test('is left again where the server would not hear of it', async () => {
    let isRefused = true;
    const { server, connection, advance } = setup({
      refuse: ({ type }) => (type === 'unsubscribe' && isRefused ? 'rate_limited' : undefined),
    });
    const subscription = connection.subscribe('a');
    await advance(A_MOMENT_MS);
    subscription.unsubscribe();
    await advance(A_MOMENT_MS);
    isRefused = false;
    await advance(60_000);
    expect(server.frames.filter(({ type }) => type === 'unsubscribe')).toHaveLength(2);
  });

  test('is had again although the server would not hear that it was left', async () => {
    let isRefused = true;
    const { server, connection, advance } = setup({
      refuse: ({ type }) => (type === 'unsubscribe' && isRefused ? 'rate_limited' : undefined),
    });
    connection.subscribe('a').unsubscribe();
    await advance(A_MOMENT_MS);
    const first = connection.subscribe('a');
    await advance(A_MOMENT_MS);
    first.unsubscribe();
    const heard: unknown[] = [];
    const again = connection.subscribe('a');
    again.on('message', (data) => heard.push(data));
    await advance(A_MOMENT_MS);
    isRefused = false;
    await advance(60_000);
    server.append('a', 1);
    await advance(A_MOMENT_MS);
    expect([again.state, again.error, heard]).toEqual(['live', undefined, [1]]);
  });

  test('drops an event at or before its position', async () => {
    const { server, connection, advance } = setup();
    const heard: unknown[] = [];
    connection.subscribe('a').on('message', (data) => heard.push(data));
    await advance(A_MOMENT_MS);
    for (const [id, data] of [
      ['5-0', 1],
      ['5-0', 2],
      ['4-9', 3],
      ['5-1', 4],
      ['10-0', 5],
      ['9-0', 6],
    ] as const)
      server.send(event(id, data));
    await advance(A_MOMENT_MS);
    expect(heard).toEqual([1, 4, 5]);
  });

  test('is not moved by a ping that comes before the answer', async () => {
    const { server, connection, advance } = setup({
      refuse: (frame) => (frame.type === 'subscribe' ? 'unavailable' : undefined),
    });
    const subscription = connection.subscribe('a', { lastId: '5-0', epoch: 'e1' });
    await advance(A_MOMENT_MS);
    server.send({ type: 'ping', id: '9-0' as StreamId });
    await advance(A_MOMENT_MS);
    expect(subscription.position).toEqual({ lastId: '5-0', epoch: 'e1' });
    expect(subscription.state).toBe('connecting');
  });

  test('goes on from a position that was kept', async () => {
    const { server, connection, advance } = setup();
    const lastId = server.append('a', 1);
    server.append('a', 2);
    const heard: unknown[] = [];
    const subscription = connection.subscribe('a', { lastId, epoch: 'e1' });
    subscription.on('message', (data) => heard.push(data));
    await advance(A_MOMENT_MS);
    expect(heard).toEqual([2]);
    expect(subscription.state).toBe('replaying');
    await advance(20_000);
    expect(subscription.state).toBe('live');
    expect(connection.state).toBe('live');
  });

  test('is live at once where there are no pings to say so', async () => {
    const { connection, advance } = setup({ pingInterval: 0 });
    const subscription = connection.subscribe('a', { lastId: '1-0', epoch: 'e1' });
    await advance(A_MOMENT_MS);
    expect(subscription.state).toBe('live');
  });

  test('hears nothing after unsubscribe, and the channel can be subscribed again at once', async () => {
    const { server, connection, advance } = setup();
    const heard: unknown[] = [];
    const first = connection.subscribe('a');
    first.on('message', (data) => heard.push(`first ${data}`));
    expect(() => connection.subscribe('a')).toThrow('share its subscription');
    await advance(A_MOMENT_MS);
    server.append('a', 1);
    await advance(A_MOMENT_MS);
    server.append('a', 2);
    first.unsubscribe();
    const second = connection.subscribe('a');
    second.on('message', (data) => heard.push(`second ${data}`));
    await advance(A_MOMENT_MS);
    server.append('a', 3);
    await advance(A_MOMENT_MS);
    expect(heard).toEqual(['first 1', 'second 3']);
    expect(first.state).toBe('closed');
    expect(connection.state).toBe('live');
  });

  test('ends when the server takes it away', async () => {
    const { server, connection, advance } = setup();
    const subscription = connection.subscribe('a');
    await advance(A_MOMENT_MS);
    server.endSubscription('a');
    await advance(A_MOMENT_MS);
    expect([subscription.state, subscription.error?.code]).toEqual(['closed', 'forbidden']);
    server.wire.cut(true);
    await advance(5000);
    expect(server.frames.filter(({ type }) => type === 'subscribe')).toHaveLength(1);
  });

  test('ends when it is refused for good, and is asked for again when for now', async () => {
    const codes = ['unavailable', 'timeout', undefined, 'forbidden'] as const;
    let count = 0;
    const { connection, advance } = setup({
      refuse: (frame) => (frame.type === 'subscribe' ? codes[count++] : undefined),
    });
    const subscription = connection.subscribe('a');
    await advance(10_000);
    expect([subscription.state, count]).toEqual(['live', 3]);
    const refused = connection.subscribe('b');
    await advance(10_000);
    expect([refused.state, refused.error?.code, count]).toEqual(['closed', 'forbidden', 4]);
    expect(connection.state).toBe('live');
  });

  test('keeps its old position and epoch until a gap says where it goes on', async () => {
    const { server, connection, advance } = setup();
    const subscription = connection.subscribe('a', { lastId: '5-0', epoch: 'e0' });
    const gaps: unknown[] = [];
    subscription.on('gap', ({ after, id, epoch, reason }) => gaps.push([after, id, epoch, reason]));
    const joined: unknown[] = [];
    subscription.onState((state) => joined.push(state, subscription.position));
    await advance(A_MOMENT_MS);
    expect(joined).toEqual(['replaying', { lastId: '5-0', epoch: 'e0' }]);
    expect(gaps).toEqual([['5-0', '0-0', 'e1', 'epoch']]);
    expect(subscription.position).toEqual({ lastId: '0-0', epoch: 'e1' });
    connection.close();
    expect(server.faults).toEqual([]);
  });

  test('is not moved by a ping that comes before the gap', () => {
    const channel = new Channel(
      'a',
      { lastId: '5-0', epoch: 'e0' },
      () => {},
      () => {},
    );
    channel.joined({ channel: 'a', id: '5-0', epoch: 'e1', recovered: false }, false);
    channel.reached('9-0');
    expect([channel.position, channel.state]).toEqual([{ lastId: '5-0', epoch: 'e0' }, 'replaying']);
    channel.gap({ type: 'gap', channel: 'a', after: '5-0', id: '2-0', reason: 'epoch' });
    channel.reached('3-0');
    expect([channel.position, channel.state]).toEqual([{ lastId: '3-0', epoch: 'e1' }, 'live']);
  });

  test('is told of no gap of which it has everything', async () => {
    const { server, connection, advance } = setup();
    const subscription = connection.subscribe('a');
    const gaps: unknown[] = [];
    subscription.on('gap', (gap) => gaps.push(gap));
    await advance(A_MOMENT_MS);
    server.send(event('9-0', 1));
    server.send({
      type: 'gap',
      channel: 'a',
      after: '2-0' as StreamId,
      id: '8-0' as StreamId,
      reason: 'trimmed',
    });
    await advance(A_MOMENT_MS);
    expect(gaps).toEqual([]);
    expect(subscription.position?.lastId).toBe('9-0');
  });
});

describe('a subscription that is asked for once more', () => {
  const begin = (options: ServerOptions = {}, client: ConnectOptions = {}) => {
    const server = new TestServer(options);
    const connection = new Client('ws://server/', { ...server.options, ...client });
    const subscription = connection.subscribe('a') as Channel;
    const heard: unknown[] = [];
    subscription.on('*', (data) => heard.push(data));
    return { server, connection, subscription, heard };
  };
  const asked = (server: TestServer) => server.frames.filter(({ type }) => type === 'subscribe').length;

  test('takes no answer to what was asked before', async () => {
    const { server, connection, subscription, heard } = begin();
    await server.clock.advance(A_MOMENT_MS);
    const [first] = [1, 2, 3].map((data) => server.append('a', data));
    await server.clock.advance(A_MOMENT_MS);
    connection.again(subscription);
    connection.again(subscription, first);
    await server.clock.advance(A_MOMENT_MS);
    expect(heard).toEqual([1, 2, 3, 2, 3]);
    connection.close();
  });

  test('is asked for once when it was refused for now, and when it still waits to be asked for', async () => {
    let refusals = 1;
    const { server, connection, subscription } = begin(
      { refuse: ({ type }) => (type === 'subscribe' && refusals-- > 0 ? 'unavailable' : undefined) },
      { random: () => 0.99 },
    );
    await server.clock.advance(A_MOMENT_MS);
    connection.again(subscription);
    await server.clock.advance(5_000);
    expect([subscription.state, subscription.error, asked(server)]).toEqual(['live', undefined, 2]);
    connection.close();

    const slow = begin({}, { framesPerSecond: 0.5 });
    for (const name of ['b', 'c']) slow.connection.subscribe(name);
    const last = slow.connection.subscribe('d') as Channel;
    await slow.server.clock.advance(A_MOMENT_MS);
    slow.connection.again(last);
    await slow.server.clock.advance(20_000);
    expect([last.state, asked(slow.server)]).toEqual(['live', 4]);
    slow.connection.close();
  });
});

describe("the user's own channel", () => {
  test('is there without being asked for, and is resumed by hello', async () => {
    const { server, connection, advance } = setup({ user: 'bob@example.com' });
    const heard: unknown[] = [];
    connection.user.on('*', (data) => heard.push(data));
    await advance(A_MOMENT_MS);
    expect(connection.user.channel).toBe('user:bob%40example.com');
    server.append('user:bob%40example.com', 1);
    await advance(A_MOMENT_MS);
    server.wire.cut(true);
    server.append('user:bob%40example.com', 2);
    await advance(30_000);
    expect(heard).toEqual([1, 2]);
    expect([connection.user.state, connection.session.state]).toEqual(['live', 'connecting']);
    expect(connection.state).toBe('live');
    expect(server.faults).toEqual([]);
  });
});
