import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import * as Either from 'fp-ts/lib/Either.js';
import { createNativeAuth } from '../../src/auth/native-authenticate.ts';
import { credentialOf } from '../../src/auth/native-credential.ts';
import { createSupersetStreamsAuth } from '../../src/auth/superset-streams.ts';
import { principal, refusalOf, rules, ticketOf, tokenWith } from '../support/native-auth.ts';

const authenticate = createNativeAuth({ ...rules, cookieName: 'signalbox' });
const byTicket = { ...principal, fromTicket: true };
const ticketHeader = (ticket: string) => ({
  'sec-websocket-protocol': `signalbox.v1, signalbox.ticket.${ticket}`,
});
const cookie = (token: string) => ({ cookie: `a=b; signalbox=${token}` });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('a native client', () => {
  test.each([
    ['a ticket as sub-protocol', { headers: ticketHeader(ticketOf()), target: '/' }, 'protocol', byTicket],
    ['a bearer token', { headers: bearer(tokenWith()), target: '/' }, 'bearer', principal],
    ['a ticket in the query', { headers: {}, target: `/?ticket=${ticketOf()}` }, 'query', byTicket],
    ['a cookie', { headers: cookie(tokenWith()), target: '/' }, 'cookie', principal],
  ])('is let in with %s', (_what, request, source, expected) => {
    expect(authenticate(request)).toMatchObject({ right: { source, principal: expected } });
  });

  test('has a ticket to be redeemed only when it came with one', () => {
    const withTicket = authenticate({ headers: ticketHeader(ticketOf()), target: '/' });
    expect(withTicket).toMatchObject({ right: { ticket: { id: 'ticket-1' } } });
    expect(authenticate({ headers: cookie(tokenWith()), target: '/' })).not.toHaveProperty('right.ticket');
  });

  test('without any credential is refused: no token', () => {
    expect(refusalOf(authenticate({ headers: {}, target: '/' }))).toBe('401 no token: absent');
    const other = {
      cookie: 'signalbox=',
      authorization: 'Basic YTpi',
      'sec-websocket-protocol': 'signalbox.v1',
    };
    expect(refusalOf(authenticate({ headers: other, target: '/?token=x' }))).toBe('401 no token: absent');
  });

  test('is who its first credential says', () => {
    const all = { ...ticketHeader('t'), ...bearer('b'), ...cookie('c') };
    const order = [
      credentialOf({ headers: all, target: '/?ticket=q' }, 'signalbox'),
      credentialOf({ headers: { ...bearer('b'), ...cookie('c') }, target: '/?ticket=q' }, 'signalbox'),
      credentialOf({ headers: cookie('c'), target: '/?ticket=q' }, 'signalbox'),
      credentialOf({ headers: cookie('c'), target: '/' }, 'signalbox'),
    ];
    expect(order).toEqual([
      { kind: 'ticket', source: 'protocol', text: 't' },
      { kind: 'token', source: 'bearer', text: 'b' },
      { kind: 'ticket', source: 'query', text: 'q' },
      { kind: 'token', source: 'cookie', text: 'c' },
    ]);
  });

  test.each([
    ['sub-protocol', { headers: { ...ticketHeader('x'), ...bearer(tokenWith()) }, target: '/' }],
    ['empty sub-protocol', { headers: { ...ticketHeader(''), ...bearer(tokenWith()) }, target: '/' }],
    [
      'bearer token',
      { headers: { ...bearer('x'), ...cookie(tokenWith()) }, target: `/?ticket=${ticketOf()}` },
    ],
    ['empty bearer token', { headers: { ...bearer(''), ...cookie(tokenWith()) }, target: '/' }],
    ['query', { headers: cookie(tokenWith()), target: '/?ticket=x' }],
    ['empty query', { headers: cookie(tokenWith()), target: '/?ticket=' }],
  ])('with a bad %s is refused, however good the next credential is', (_what, request) => {
    expect(refusalOf(authenticate(request))).toBe('401 bad token: malformed');
  });

  test.each([
    ['as a ticket', { headers: {}, target: `/?ticket=${tokenWith()}` }],
    ['as a sub-protocol', { headers: ticketHeader(tokenWith()), target: '/' }],
  ])('cannot use a long-lived token %s', (_what, request) => {
    expect(refusalOf(authenticate(request))).toBe('401 bad token: audience');
  });

  test('cannot use a ticket as bearer token or cookie', () => {
    expect(refusalOf(authenticate({ headers: bearer(ticketOf()), target: '/' }))).toContain('audience');
    expect(refusalOf(authenticate({ headers: cookie(ticketOf()), target: '/' }))).toContain('audience');
  });

  test('any request is an answer, never an error', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('Bearer ', 'signalbox.ticket.', 'signalbox='),
    );
    const header = fc.array(text).map((parts) => parts.join(''));
    fc.assert(
      fc.property(header, header, header, header, (authorization, protocol, cookies, target) => {
        const headers = { authorization, 'sec-websocket-protocol': protocol, cookie: cookies };
        expect(Either.isLeft(authenticate({ headers, target }))).toBe(true);
      }),
    );
  });
});

describe('a client of Superset', () => {
  const asSuperset = createSupersetStreamsAuth({
    keys: rules.keys,
    algorithms: rules.algorithms,
    now: rules.now,
    cookieName: 'async-token',
    channelClaim: 'sub',
    foreignAudiences: ['signalbox', 'signalbox.ticket'],
  });

  test.each([
    ['a native token', tokenWith()],
    ['a native token for others too', tokenWith({ aud: ['x', 'signalbox'] })],
    ['a ticket', ticketOf()],
  ])('cannot use %s, whichever claim names its channel', (_what, token) => {
    expect(refusalOf(asSuperset({ headers: { cookie: `async-token=${token}` } }))).toBe(
      '401 bad token: audience',
    );
  });

  test('may use a token of any other audience, or of none', () => {
    const answers = [tokenWith({ aud: undefined }), tokenWith({ aud: 'superset' })].map((token) =>
      refusalOf(asSuperset({ headers: { cookie: `async-token=${token}` } })),
    );
    expect(answers).toEqual(['let in', 'let in']);
  });
});
