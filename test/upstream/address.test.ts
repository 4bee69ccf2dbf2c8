import { describe, expect, test } from '@jest/globals';
import { readUpstreamAddress } from '../../src/upstream/address.ts';

describe('the address of an application', () => {
  test.each([
    ['http://127.0.0.1:8000', { origin: 'http://127.0.0.1:8000', host: '127.0.0.1:8000' }],
    ['http://127.0.0.1:8000/', { origin: 'http://127.0.0.1:8000', host: '127.0.0.1:8000' }],
    ['https://app.internal', { origin: 'https://app.internal', host: 'app.internal' }],
    ['http://[::1]:8000', { origin: 'http://[::1]:8000', host: '[::1]:8000' }],
    ['unix:/run/app.sock', { origin: 'http://localhost', host: 'localhost', socketPath: '/run/app.sock' }],
    ['unix:///run/app.sock', { origin: 'http://localhost', host: 'localhost', socketPath: '/run/app.sock' }],
  ])('may be %s', (text, address) => {
    expect(readUpstreamAddress(text)).toEqual(address);
  });

  test.each([
    '',
    '127.0.0.1:8000',
    'localhost:8000',
    'ftp://app',
    'http://',
    'http://app/path',
    'http://app?x',
    'http://app#x',
    'http://user@app',
    'http://:password@app',
    'unix:run/app.sock',
  ])('may not be %j', (text) => {
    expect(readUpstreamAddress(text)).toBeUndefined();
  });
});
