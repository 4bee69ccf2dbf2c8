import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Pool } from 'undici';
import { startExchange } from '../../src/upstream/exchange.ts';

const call = (path: string) => ({ path, method: 'GET' as const });

describe('an exchange', () => {
  let server: Server;
  let pool: Pool;
  const seen: string[] = [];

  beforeEach(async () => {
    seen.length = 0;
    server = createServer((request) => void seen.push(request.url ?? ''));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      connections: 1,
      pipelining: 1,
    });
  });
  afterEach(async () => {
    await pool.destroy();
    server.closeAllConnections();
    server.close();
  });

  /** Starts one and notes what is told of it. */
  const start = (path: string) => {
    const told: string[] = [];
    let settle: () => void = () => {};
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const flow = startExchange(pool, call(path), {
      answered({ status }) {
        told.push(`answered ${status}`);
        return {
          data: (chunk) => void told.push(`data ${chunk.toString()}`),
          end: () => void told.push('end'),
          failed: () => void told.push('failed'),
          release: () => void told.push('release'),
        };
      },
      failed: () => void told.push('failed without an answer'),
      settled() {
        told.push('settled');
        settle();
      },
    });
    return { flow, told, settled };
  };
  const nextRequest = async (): Promise<[IncomingMessage, ServerResponse]> =>
    (await once(server, 'request')) as [IncomingMessage, ServerResponse];

  test('that is released while it waits for its turn never reaches the application', async () => {
    const first = nextRequest();
    const one = start('/1');
    const [, response] = await first;
    const two = start('/2');
    two.flow.release();
    response.end();
    await Promise.all([one.settled, two.settled]);
    const third = nextRequest();
    const three = start('/3');
    (await third)[1].end();
    await three.settled;
    expect(two.told).toEqual(['settled']);
    expect(seen).toEqual(['/1', '/3']);
  });

  test('that is released twice, and after its end, is settled once', async () => {
    const arrived = nextRequest();
    const one = start('/1');
    const [request] = await arrived;
    const cut = once(request.socket, 'close');
    one.flow.release();
    one.flow.release();
    await Promise.all([one.settled, cut]);
    one.flow.release();
    expect(one.told).toEqual(['settled']);
  });

  test('hears nothing of what comes before the answer', async () => {
    const arrived = nextRequest();
    const one = start('/1');
    const [, response] = await arrived;
    response.writeEarlyHints({ link: '</a>; rel=preload' });
    response.end('x');
    await one.settled;
    expect(one.told).toEqual(['answered 200', 'data x', 'end', 'release', 'settled']);
  });

  test('whose receiver throws is a failure of that exchange only', async () => {
    const arrived = nextRequest();
    const told: string[] = [];
    const settled = new Promise<void>((resolve) => {
      startExchange(pool, call('/1'), {
        answered() {
          throw new Error('no such status');
        },
        failed: (error) => void told.push(error.message),
        settled: resolve,
      });
    });
    (await arrived)[1].end('x');
    await settled;
    const next = nextRequest();
    const two = start('/2');
    (await next)[1].end();
    await two.settled;
    expect(told).toEqual(['no such status']);
    expect(two.told).toContain('end');
  });
});
