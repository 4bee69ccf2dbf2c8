import { describe, expect, test } from '@jest/globals';
import { nchanConfiguration } from '../../../bench/peers/nchan.ts';

const place = { port: 12_345, folder: '/tmp/here', env: {} };

describe('the configuration of nchan', () => {
  const text = nchanConfiguration('/usr/lib/nginx/modules/ngx_nchan_module.so', place);

  test('listens on its own port only, with one worker', () => {
    expect(text).toContain('listen 127.0.0.1:12345 ');
    expect(text).toContain('worker_processes 1;');
  });

  test('writes nowhere but to its folder', () => {
    const written = [...text.matchAll(/(?:pid|_path) (\/\S+);/g)].map(([, file = '']) => file);
    expect(written).toHaveLength(6);
    expect(written.filter((file) => !file.startsWith('/tmp/here/'))).toEqual([]);
  });

  test('pings as often as the others are told to, and otherwise as it does', () => {
    expect(text).not.toContain('ping');
    expect(nchanConfiguration('m', { ...place, env: { PING_SOCKETS_INTERVAL_MS: '10000' } })).toContain(
      'nchan_websocket_ping_interval 10;',
    );
  });
});
