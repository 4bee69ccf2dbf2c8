import { afterEach, describe, expect, test } from '@jest/globals';
import type { Contract, SignalboxOptions, Socket } from '../../src/index.ts';
import { heard, live, type Started, startProgram } from './program.ts';
import { RawClient } from './raw-client.ts';

let started: Started<Contract>;

async function start(options: SignalboxOptions<Contract> = {}): Promise<Started<Contract>> {
  started = await startProgram(options);
  return started;
}

afterEach(async () => {
  await started.stop();
});

/** What docs/from-super-scaled-sockets.md promises and no other test shows. */
describe('what programs of super-scaled-sockets do', () => {
  test('a client that is refused is told so by a close code, and the next one is let in', async () => {
    const { url } = await start();
    expect(await new RawClient(url, '').whenClosed()).toEqual({ code: 4401, reason: 'unauthorized' });
    const ann = await RawClient.open(url, 'ann');
    expect(ann.frames[0]).toMatchObject({ type: 'welcome', user: 'ann' });
  });

  test('a user and a session have channels that nobody has to subscribe', async () => {
    const { signalbox, client } = await start();
    const connection = client('ann/tab-1');
    await live(connection);
    const toUser = heard((resolve) => connection.user.on('note', resolve));
    const toSession = heard((resolve) => connection.session.on('note', resolve));
    await signalbox.publish('user:ann', 'note', 'for ann');
    await signalbox.publish('session:tab-1', 'note', 'for her tab');
    expect(await Promise.all([toUser, toSession])).toEqual(['for ann', 'for her tab']);
  });

  test('a socket says who it is, whether it is there, and what it has', async () => {
    const { signalbox, client } = await start();
    const socket = heard<Socket<Contract>>(signalbox.onSocket);
    const connection = client('ann/tab-1');
    await live(connection.subscribe('sport'));
    const { user, session, isOpen, channels } = await socket;
    expect({ user, session, isOpen, channels }).toEqual({
      user: 'ann',
      session: 'tab-1',
      isOpen: true,
      channels: ['user:ann', 'session:tab-1', 'sport'],
    });
    const gone = heard((resolve) => void socket.then((it) => it.onClose(resolve)));
    connection.close();
    expect(await gone).toBe('gone');
    expect(await socket).toMatchObject({ isOpen: false, channels: [] });
  });

  test('server, channel and socket have locals of their own', async () => {
    const { signalbox, client } = await start({
      onSubscribe(socket, name) {
        socket.locals['last'] = name;
      },
    });
    signalbox.locals['name'] = 'a server';
    signalbox.onChannelOpen(({ name, locals }) => {
      locals['opened'] = name;
    });
    await live(client('ann').subscribe('sport'));
    expect(signalbox.locals).toEqual({ name: 'a server' });
    expect(signalbox.channel('sport').locals).toEqual({ opened: 'sport' });
    expect(signalbox.sockets.map(({ locals }) => locals)).toEqual([{ last: 'sport' }]);
  });

  test('a channel that was opened is published on by its name, and its sockets are known', async () => {
    const { signalbox, client } = await start();
    signalbox.onChannelOpen(({ name, sockets }) => {
      // It is open when the first one has it, which is a moment later.
      void signalbox.publish(name, 'opened', { name, sockets: sockets.length });
    });
    const sport = client('ann').subscribe('sport');
    const opened = heard((resolve) => sport.on('opened', resolve));
    expect(await opened).toEqual({ name: 'sport', sockets: 0 });
    const { name, sockets } = signalbox.channel('sport');
    expect([name, sockets.map(({ user }) => user)]).toEqual(['sport', ['ann']]);
  });

  test('a client that joins knows where the channel is, and so what it missed later', async () => {
    const { signalbox, url } = await start();
    const id = await signalbox.publish('sport', 'article', 1);
    const ann = await RawClient.open(url);
    const joined = await ann.ask({ type: 'subscribe', ref: 1, channel: 'sport' });
    expect(joined).toMatchObject({ type: 'subscribed', channel: 'sport', id });
    const second = await signalbox.publish('sport', 'article', 2);
    ann.socket.terminate();
    const again = await RawClient.open(url);
    const { epoch } = joined;
    const resumed = await again.ask({ type: 'subscribe', ref: 1, channel: 'sport', lastId: id, epoch });
    expect(resumed).toMatchObject({ recovered: true });
    expect(await again.heard(({ type }) => type === 'event')).toMatchObject({ id: second, data: 2 });
  });

  test('stop tells each client to come back, after a time of its own, and ends it with 1001', async () => {
    const { signalbox, url } = await start();
    const clients = await Promise.all(['ann', 'bob'].map((name) => RawClient.open(url, name)));
    await signalbox.stop();
    for (const client of clients) {
      expect(await client.whenClosed()).toEqual({ code: 1001, reason: 'drain' });
      expect(client.frames.at(-1)).toMatchObject({ type: 'reconnect', after: expect.any(Number) });
    }
  });

  test('a channel may be called what theirs may, and not begin with _ or be nothing', async () => {
    const { url } = await start();
    const ann = await RawClient.open(url);
    const answers = await Promise.all(
      ['Sport_2-a', '_sport', ''].map((channel, ref) => ann.ask({ type: 'subscribe', ref, channel })),
    );
    expect(answers.map(({ type, code }) => code ?? type)).toEqual([
      'subscribed',
      'bad_request',
      'bad_request',
    ]);
  });
});
