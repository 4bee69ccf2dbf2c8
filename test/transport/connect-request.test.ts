import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { queryParameter } from '../../src/protocol/request-target.ts';
import { connectRequest } from '../../src/transport/connect-request.ts';

const requestOf = (url: string, headers: IncomingMessage['headers'] = {}): IncomingMessage =>
  ({ url, headers, socket: { remoteAddress: '192.0.2.1' } }) as IncomingMessage;

describe('what an application is told of a request', () => {
  test.each([
    ['/', '/'],
    ['/?room=5', '/?room=5'],
    ['/?ticket=a', '/'],
    ['/?ticket=a&room=5', '/?room=5'],
    ['/?room=5&ticket=a', '/?room=5'],
    ['/?a=1&ticket=a&b=%26ticket=2', '/?a=1&b=%26ticket=2'],
    ['/?ticket=a&ticket=b&room=5', '/?room=5'],
    ['/?%74icke%74=a&room=5', '/?room=5'],
    ['/?room=5?ticket=a', '/?room=5'],
    ['/?ticket', '/'],
    ['/?tickets=2', '/?tickets=2'],
    ['/ticket=a', '/ticket=a'],
  ])('is %s without its tickets', (url, target) => {
    const told = connectRequest(requestOf(url)).target;
    expect(told).toBe(target);
    expect(queryParameter(told, 'ticket')).toBeUndefined();
  });

  test('has the headers, but none that says who it is', () => {
    const told = connectRequest(
      requestOf('/', { authorization: 'Bearer x', cookie: 'signalbox=x', 'user-agent': 'a browser' }),
    );
    expect(told).toEqual({ target: '/', headers: { 'user-agent': 'a browser' }, address: '192.0.2.1' });
  });
});
