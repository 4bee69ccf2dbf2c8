import { describe, expect, test } from '@jest/globals';
import { hookBody } from '../../src/decider/hook-request.ts';
import type { RawJson } from '../../src/protocol/native/client-frame.ts';
import { principal } from '../support/native-auth.ts';

const peer = { socket: 's-9', principal: { ...principal, tokenId: 'jti-1' } };

describe('the body of a request to a hook', () => {
  test('has who it is about, without what is known of the token alone, and what is asked', () => {
    const body = hookBody('disconnect', peer, { reason: 'drain' });
    expect(JSON.parse(body.toString())).toEqual({
      hook: 'disconnect',
      socket: 's-9',
      principal: {
        user: '5',
        session: 's-1',
        channels: ['sport', 'public:*'],
        publish: ['chat'],
        expiresAt: principal.expiresAtMs,
      },
      reason: 'drain',
    });
  });

  test('has what the client wrote, as the client wrote it', () => {
    const data = ' {"n":12345678901234567890, "n":1.0e2 , "s":"\\u00e9"} ' as RawJson;
    const text = hookBody('ask', peer, { topic: 'x"y', data }).toString();
    expect(text).toContain(`"topic":"x\\"y","data":${data}}`);
    expect(JSON.parse(text)).toMatchObject({ topic: 'x"y', data: { n: 100, s: 'é' } });
  });

  test('leaves out what is not given', () => {
    const body = JSON.parse(hookBody('subscribe', peer, { channel: 'sport', query: undefined }).toString());
    expect(Object.keys(body)).toEqual(['hook', 'socket', 'principal', 'channel']);
    const { session, ...sessionless } = principal;
    const other = JSON.parse(
      hookBody('subscribe', { socket: session ?? '', principal: sessionless }, {}).toString(),
    );
    expect(Object.keys(other.principal)).not.toContain('session');
  });
});
