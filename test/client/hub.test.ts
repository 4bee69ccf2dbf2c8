import { describe, expect, test } from '@jest/globals';
import { Hub } from '../../client/src/tabs/hub.ts';
import type { Message } from '../../client/src/tabs/post.ts';
import { A_MOMENT_MS } from './support/setup.ts';
import { type ServerOptions, TestServer } from './support/server.ts';

/** A hub, and what each socket of a tab has been told. */
function setup(options: ServerOptions = {}) {
  const server = new TestServer({ user: 'u', ...options });
  const told = new Map<string, Record<string, unknown>[]>();
  const ended: string[] = [];
  let itsId = '';
  const hub = new Hub('ws://server/', server.options, (message: Message) => {
    if (message.kind === 'opened') itsId = message.hub;
    if (message.kind === 'end') ended.push(message.id);
    if (message.kind !== 'down') return;
    for (const id of message.ids)
      told.set(id, [...(told.get(id) ?? []), JSON.parse(message.text) as Record<string, unknown>]);
  });
  const say = (id: string, frame: object) =>
    hub.hear({ kind: 'up', id, hub: itsId, text: JSON.stringify(frame) });
  const open = (id: string, hello: object = {}) => {
    hub.hear({ kind: 'open', id });
    say(id, { type: 'hello', ref: 0, ...hello });
  };
  const heard = (id: string) => (told.get(id) ?? []).map(({ type, data }) => data ?? type);
  return { server, hub, told, ended, say, open, heard };
}

describe('the hub', () => {
  test("goes back on the user's channel for a tab that is behind, and greets it there", async () => {
    const { server, hub, told, open, heard } = setup();
    open('first');
    await server.clock.advance(A_MOMENT_MS);
    const [lastId] = [1, 2, 3].map((data) => server.append('user:u', data));
    await server.clock.advance(A_MOMENT_MS);
    open('late', { positions: { 'user:u': lastId }, epoch: 'e1' });
    await server.clock.advance(A_MOMENT_MS);
    expect(heard('late')).toEqual(['welcome', 2, 3]);
    expect(told.get('late')?.[0]).toMatchObject({
      subscriptions: [{ channel: 'user:u', id: lastId, epoch: 'e1', recovered: true }],
    });
    // Again, and each tab drops what it has.
    expect(heard('first')).toEqual(['welcome', 1, 2, 3, 2, 3]);
    hub.close();
  });

  test('waits with that for a snapshot that is on its way, and for one that does not come', async () => {
    const { server, hub, told, say, open, heard } = setup();
    open('first');
    await server.clock.advance(A_MOMENT_MS);
    say('first', { type: 'subscribe', ref: 1, channel: 'a' });
    const [lastId] = [1, 2].map((data) => server.append('user:u', data));
    await server.clock.advance(A_MOMENT_MS);
    open('late', { positions: { 'user:u': lastId }, epoch: 'e1' });
    await server.clock.advance(A_MOMENT_MS);
    expect(heard('late')).toEqual([]);
    server.append('user:u', 3);
    await server.clock.advance(5_000);
    server.append('a', 4);
    await server.clock.advance(A_MOMENT_MS);
    expect(heard('late')).toEqual(['welcome', 2, 3]);
    expect(heard('first').slice(-1)).toEqual([4]);
    // It goes on where it was, and has skipped nothing to look for a snapshot once more.
    expect(told.get('first')?.filter(({ type }) => type === 'gap')).toEqual([]);
    hub.close();
  });

  test('goes back on a channel only when a snapshot that another tab waits for has come', async () => {
    const { server, hub, told, say, open, heard } = setup({ seed: 2, snapshot: () => 'all' });
    const lastId = server.append('a', 1);
    for (const data of [2, 3]) server.append('a', data);
    for (const id of ['first', 'late']) open(id);
    await server.clock.advance(A_MOMENT_MS);
    say('first', { type: 'subscribe', ref: 1, channel: 'a' });
    while (!heard('first').includes('subscribed')) await server.clock.advance(1);
    say('late', { type: 'subscribe', ref: 1, channel: 'a', lastId, epoch: 'e1' });
    // Otherwise it is too late to be in its way.
    expect(heard('first')).not.toContain('all');
    await server.clock.advance(A_MOMENT_MS);
    expect(heard('first').slice(0, 3)).toEqual(['welcome', 'subscribed', 'all']);
    expect(heard('late')).toEqual(['welcome', 'subscribed', 2, 3]);
    expect(told.get('late')?.[1]).toMatchObject({ id: lastId, recovered: true });
    hub.close();
  });

  test('tells the tabs when the server is away by then', async () => {
    const { server, hub, ended, open } = setup();
    open('first');
    await server.clock.advance(A_MOMENT_MS);
    const [lastId] = [1, 2].map((data) => server.append('user:u', data));
    await server.clock.advance(A_MOMENT_MS);
    server.wire.isUp = false;
    open('late', { positions: { 'user:u': lastId }, epoch: 'e1' });
    await server.clock.advance(5_000);
    expect(ended).toEqual(['first', 'late']);
    hub.close();
  });

  test('has a tab come back that it has forgotten, but none that is not its own', async () => {
    const { server, hub, ended, say, open } = setup();
    open('frozen');
    await server.clock.advance(65_000);
    hub.hear({ kind: 'up', id: 'other', hub: 'another hub', text: '{"type":"pong"}' });
    expect(ended).toEqual([]);
    say('frozen', { type: 'pong' });
    expect(ended).toEqual(['frozen']);
    hub.close();
  });

  test('tells a tab whose position is of another epoch what it lost', async () => {
    const { server, hub, told, say, open, heard } = setup();
    open('first');
    await server.clock.advance(A_MOMENT_MS);
    say('first', { type: 'subscribe', ref: 1, channel: 'a' });
    await server.clock.advance(A_MOMENT_MS);
    const id = server.append('a', 1);
    await server.clock.advance(A_MOMENT_MS);
    open('old', { positions: { 'user:u': '9-0' }, epoch: 'e0' });
    say('old', { type: 'subscribe', ref: 1, channel: 'a', lastId: '9-0', epoch: 'e0' });
    await server.clock.advance(A_MOMENT_MS);
    expect(heard('old')).toEqual(['welcome', 'gap', 'subscribed', 'gap']);
    expect(told.get('old')?.[2]).toMatchObject({ id: '9-0', epoch: 'e1', recovered: false });
    expect(told.get('old')?.[3]).toMatchObject({ after: '9-0', id, epoch: 'e1', reason: 'epoch' });
    hub.close();
  });

  test.each([1, 2, 3, 4, 5])(
    'tells a tab of a new epoch that began while another was given a snapshot (seed %i)',
    async (seed) => {
      const { server, hub, told, say, open } = setup({ seed, snapshot: () => 'all' });
      open('first');
      await server.clock.advance(A_MOMENT_MS);
      say('first', { type: 'subscribe', ref: 1, channel: 'a' });
      await server.clock.advance(A_MOMENT_MS);
      server.append('a', 1);
      await server.clock.advance(A_MOMENT_MS);
      open('second');
      say('second', { type: 'subscribe', ref: 1, channel: 'a' });
      server.loseData();
      await server.clock.advance(A_MOMENT_MS);
      expect(told.get('first')).toContainEqual(
        expect.objectContaining({ type: 'gap', channel: 'a', epoch: 'e2', reason: 'epoch' }),
      );
      hub.close();
    },
  );

  test('forgets a tab that answers no ping, and leaves its channels', async () => {
    const { server, hub, say, open } = setup();
    open('gone');
    await server.clock.advance(A_MOMENT_MS);
    say('gone', { type: 'subscribe', ref: 1, channel: 'a' });
    await server.clock.advance(65_000);
    expect(server.frames.map(({ type }) => type)).toContain('unsubscribe');
    hub.close();
  });
});
