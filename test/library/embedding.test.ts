import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo, Socket as NetSocket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Server as SocketIoServer } from 'socket.io';
import { WebSocket, WebSocketServer } from 'ws';
import type { Contract, SignalboxOptions } from '../../src/index.ts';
import { live, type Started, startProgram } from './program.ts';

let host: Server;
let port: number;
let started: Started<Contract> | undefined;

/** The host listens before, as one that is a program's own does. */
async function embedIn(options: SignalboxOptions<Contract> = {}): Promise<Started<Contract>> {
  started = await startProgram({ server: host, ...options });
  return started;
}

const get = async (path: string, init: RequestInit = {}): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return `${response.status} ${await response.text()}`;
};

/** The status of an upgrade: of a response, or of the switch. */
const upgrade = async (path: string, headers: Record<string, string>): Promise<number | undefined> => {
  const asked = request({ host: '127.0.0.1', port, path, headers: { connection: 'Upgrade', ...headers } });
  asked.end();
  const answered = once(asked, 'response').then(([{ statusCode }]) => statusCode as number);
  const switched = once(asked, 'upgrade').then(([, connection]) => {
    (connection as NetSocket).destroy();
    return 101;
  });
  return await Promise.race([answered, switched]);
};

beforeEach(async () => {
  started = undefined;
  host = createServer((_, response) => void response.end('the host'));
  host.listen(0, '127.0.0.1');
  await once(host, 'listening');
  ({ port } = host.address() as AddressInfo);
});

afterEach(async () => {
  await started?.stop();
  host.closeAllConnections();
  host.close();
});

describe('a Signalbox on a server of somebody else', () => {
  test('takes what is below its path, and leaves what is not to the host', async () => {
    await embedIn();
    expect(await get('/signalbox/health')).toBe('200 OK');
    expect(await get('/signalbox/health?x=/')).toBe('200 OK');
    expect(await get('/signalbox/nothing')).toBe('404 Not Found');
    for (const path of ['/', '/signal', '/signalboxes', '/other/signalbox/health', '/?/signalbox/']) {
      expect(await get(path)).toBe('200 the host');
    }
  });

  test('says below its path what it is, with the files of its page', async () => {
    await embedIn({ path: '/live/v1' });
    const page = await fetch(`http://127.0.0.1:${port}/live/v1`);
    expect([page.status, page.url]).toEqual([200, `http://127.0.0.1:${port}/live/v1/`]);
    const links = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
    expect(links).toHaveLength(4);
    for (const link of links) expect(await get(new URL(link, page.url).pathname)).not.toContain('the host');
  });

  test('knows where its host listens, and may be put anywhere', async () => {
    const { signalbox, client } = await embedIn({ path: '/live/v1' });
    expect(await get('/live/v1/health')).toBe('200 OK');
    const connection = client('ann');
    const chat = connection.subscribe('chat');
    await live(chat);
    const heard = new Promise((resolve) => void chat.on('*', resolve));
    await signalbox.publish('chat', 'line', 5);
    expect(await heard).toBe(5);
  });

  test('serves listeners that are added later no request of its own', async () => {
    await embedIn();
    const seen: (string | undefined)[] = [];
    host.on('request', ({ url }) => void seen.push(url));
    host.on('upgrade', ({ url }, connection) => {
      seen.push(url);
      connection.destroy();
    });
    await get('/signalbox/health');
    await live((started as Started<Contract>).client('ann'));
    await get('/theirs');
    expect(seen).toEqual(['/theirs']);
  });

  test('takes a body that waits for leave to be sent', async () => {
    await embedIn({
      config: { apiKeys: ['a-key-of-more-than-24-characters'], jwtSecret: 'x'.repeat(32), broker: 'memory' },
    });
    const headers = {
      expect: '100-continue',
      authorization: 'Bearer a-key-of-more-than-24-characters',
      'content-type': 'application/json',
    };
    const asked = request({ host: '127.0.0.1', port, method: 'POST', path: '/signalbox/publish', headers });
    host.on('checkContinue', (_, response) => void response.writeHead(417).end());
    asked.flushHeaders();
    await once(asked, 'continue');
    asked.end('{"channel":"a","data":1}');
    const [response] = await once(asked, 'response');
    expect(response.statusCode).toBe(201);
    response.resume();
  });

  test('stands beside Socket.IO, each with its own clients', async () => {
    const io = new SocketIoServer(host, { destroyUpgradeTimeout: 20 });
    io.on('connection', (socket) => void socket.emit('hello', 'from Socket.IO'));
    const { client, signalbox } = await embedIn();
    const connection = client('ann');
    await live(connection);
    const theirs = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
    const event = await new Promise((resolve) => {
      theirs.on('message', (message: Buffer) => {
        const text = message.toString();
        if (text.startsWith('0{')) theirs.send('40');
        if (text.startsWith('42')) resolve(text);
      });
    });
    expect(event).toBe('42["hello","from Socket.IO"]');
    // It ends upgrades that nobody takes in so long; ours it has not seen.
    const foreign = new WebSocket(`ws://127.0.0.1:${port}/nobody`);
    foreign.on('error', () => {});
    await new Promise((resolve) => void foreign.on('close', resolve));
    expect(connection.state).toBe('live');
    expect(signalbox.sockets).toHaveLength(1);
    theirs.terminate();
    io.disconnectSockets(true);
    io.engine.close();
  });

  test('stands beside a WebSocket server of the host', async () => {
    const theirs = new WebSocketServer({ server: host, path: '/theirs' });
    theirs.on('connection', (socket) => socket.send('theirs'));
    const { client } = await embedIn();
    await live(client('ann'));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/theirs`);
    expect(String((await once(socket, 'message'))[0])).toBe('theirs');
    socket.terminate();
    theirs.close();
  });

  test('refuses an upgrade that is for nobody, where the host takes none', async () => {
    await embedIn();
    const handshake = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' };
    expect(await upgrade('/theirs', { upgrade: 'websocket', ...handshake })).toBe(404);
    expect(await upgrade('/signalbox', { upgrade: 'h2c' })).toBe(400);
  });

  test('is gone from its host when it is stopped, and stops nothing of it', async () => {
    const { signalbox, client } = await embedIn();
    await live(client('ann'));
    await signalbox.stop();
    expect(await get('/signalbox/health')).toBe('200 the host');
    expect(Object.hasOwn(host, 'emit')).toBe(false);
    expect(host.listenerCount('upgrade')).toBe(0);
    expect(host.listening).toBe(true);
  });

  test('needs a key for what is done to others, as long as nothing is configured, too', async () => {
    await embedIn();
    const headers = { 'content-type': 'application/json' };
    const bodies = {
      publish: '{"channel":"a","data":1}',
      message: '{"username":"ann","content":1}',
      tell: '{"everyone":true,"topic":"t"}',
      disconnect: '{"user":"ann"}',
    };
    for (const [path, body] of Object.entries(bodies)) {
      // As a proxy on this machine passes it on, with a Host of its own.
      expect(await get(`/signalbox/${path}`, { method: 'POST', headers, body })).toMatch(/^401 /);
    }
  });

  describe('beside another one', () => {
    let other: Started<Contract>;

    afterEach(async () => {
      await other.stop();
    });

    test('leaves its path to the host when it is stopped, whichever of them came first', async () => {
      const { signalbox } = await embedIn({ path: '/one' });
      other = await startProgram({ server: host, path: '/two' });
      await signalbox.stop();
      expect(await get('/one/health')).toBe('200 the host');
      expect(await get('/two/health')).toBe('200 OK');
      await other.stop();
      expect(await get('/two/health')).toBe('200 the host');
    });

    test('stays when one that was added later is stopped', async () => {
      await embedIn({ path: '/one' });
      other = await startProgram({ server: host, path: '/two' });
      await other.stop();
      expect(await get('/one/health')).toBe('200 OK');
      expect(await get('/two/health')).toBe('200 the host');
    });

    test('refuses an upgrade that is for none of them, and takes those that are', async () => {
      await embedIn({ path: '/one' });
      other = await startProgram({ server: host, path: '/two' });
      const handshake = {
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'signalbox.v1',
      };
      expect(await upgrade('/theirs', handshake)).toBe(404);
      expect(await upgrade('/one', handshake)).toBe(101);
      expect(await upgrade('/two', handshake)).toBe(101);
    });
  });

  test('may be added before its host listens', async () => {
    host.closeAllConnections();
    host.close();
    host = createServer((_, response) => void response.end('the host'));
    const { signalbox } = await embedIn();
    host.listen(0, '127.0.0.1');
    await once(host, 'listening');
    ({ port } = host.address() as AddressInfo);
    expect(await get('/signalbox/ready')).toBe('200 OK');
    expect(signalbox.isReady()).toBe(true);
  });
});
