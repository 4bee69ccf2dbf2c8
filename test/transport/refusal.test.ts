import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { refuseUpgrade } from '../../src/transport/refusal.ts';
import { listen } from '../support/loopback.ts';

let server: Server;

/** All that a client reads of a refused upgrade, up to the end of the connection. */
async function refusalOf(status: number, word: string, retryAfterMs?: number): Promise<string> {
  server.on('upgrade', (_, connection) => refuseUpgrade(connection, status, word, retryAfterMs));
  const client = connect(await listen(server), '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(client, 'close');
  return Buffer.concat(chunks).toString();
}

describe('a refused upgrade', () => {
  beforeEach(() => {
    server = createServer();
  });
  afterEach(async () => {
    server.close();
    await once(server, 'close');
  });

  test('is told after how many whole seconds to come back, where that is known', async () => {
    expect(await refusalOf(429, 'too many requests', 1_001)).toContain('\r\nRetry-After: 2\r\n');
  });

  test('is told its status and why in a word, and the connection ends', async () => {
    const [head, body] = (await refusalOf(403, 'origin')).split('\r\n\r\n');
    expect(head?.split('\r\n')).toEqual([
      'HTTP/1.1 403 Forbidden',
      'Connection: close',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Length: 6',
    ]);
    expect(body).toBe('origin');
  });

  test('has the length of its word in bytes', async () => {
    expect(await refusalOf(400, 'für')).toMatch(/Content-Length: 4\r\n\r\nfür$/);
  });

  test('has a status without a name where there is none', async () => {
    expect(await refusalOf(499, 'x')).toMatch(/^HTTP\/1\.1 499 \r\n/);
  });
});
