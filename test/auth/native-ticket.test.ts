import { describe, expect, test } from '@jest/globals';
import * as Either from 'fp-ts/lib/Either.js';
import jwt from 'jsonwebtoken';
import { mintTicket, redeemTicket, verifyTicket } from '../../src/auth/native-ticket.ts';
import {
  mintOptions,
  NOW_MS,
  NOW_S,
  principal,
  refusalOf,
  rightOf,
  rules,
  sign,
  ticketOf,
  tokenWith,
} from '../support/native-auth.ts';

const verifyAt = (ticket: string, nowMs: number) => verifyTicket(ticket, { ...rules, now: () => nowMs });
const verify = (ticket: string) => verifyAt(ticket, NOW_MS);

const claims = {
  aud: 'signalbox.ticket',
  sub: '5',
  jti: 'ticket-1',
  iat: NOW_S,
  siat: NOW_S - 10,
  exp: NOW_S + 60,
  sexp: NOW_S + 3600,
};
const signedWith = (changes: object) => sign({ ...claims, ...changes });

describe('a ticket', () => {
  test('gives the principal it was minted for, until the end of the session and not of the ticket', () => {
    const minted = rightOf(mintTicket(principal, mintOptions));
    expect(minted.expiresAtMs).toBe(NOW_MS + 60_000);
    expect(verify(minted.ticket)).toEqual(
      Either.right({
        id: 'ticket-1',
        expiresAtMs: NOW_MS + 60_000,
        principal: { ...principal, fromTicket: true },
      }),
    );
  });

  test('has these claims', () => {
    expect(jwt.decode(ticketOf())).toEqual({
      ...claims,
      sid: 's-1',
      channels: principal.channels,
      publish: principal.publish,
    });
  });

  test('is as old as the token of its session, so that a revocation between the two reaches it', () => {
    const { ticket } = rightOf(mintTicket(principal, { ...mintOptions, now: () => NOW_MS + 30_000 }));
    expect(rightOf(verifyAt(ticket, NOW_MS + 31_000)).principal.issuedAtMs).toBe(principal.issuedAtMs);
  });

  test('ends after its minute, and never after its session', () => {
    expect(refusalOf(verifyAt(ticketOf(), NOW_MS + 59_000))).toBe('let in');
    expect(refusalOf(verifyAt(ticketOf(), NOW_MS + 60_000))).toBe('401 bad token: expired');
    const short = rightOf(mintTicket({ ...principal, expiresAtMs: NOW_MS + 5000 }, mintOptions));
    expect(short.expiresAtMs).toBe(NOW_MS + 5000);
    expect(refusalOf(verify(signedWith({ sexp: NOW_S - 1 })))).toBe('401 bad token: expired');
  });

  test('mints no ticket', () => {
    const { principal: byTicket } = rightOf(verify(ticketOf()));
    expect(refusalOf(mintTicket(byTicket, mintOptions))).toBe('403 not allowed: from_ticket');
  });

  test.each([
    ['a native token', tokenWith(), 'audience'],
    ['a token for both', tokenWith({ ...claims, aud: ['signalbox', 'signalbox.ticket'] }), 'audience'],
    ['a cookie of Superset’s', sign({ channel: 'c' }), 'audience'],
    ['without an id', signedWith({ jti: undefined }), 'ticket'],
    ['with an id that is no text', signedWith({ jti: 5 }), 'ticket'],
    ['with an id of 129 characters', signedWith({ jti: 'x'.repeat(129) }), 'ticket'],
    ['without an end', signedWith({ exp: undefined }), 'expiration'],
    ['that would last for days', signedWith({ exp: NOW_S + 7200 }), 'expiration'],
    ['without an end of its session', signedWith({ sexp: undefined }), 'expiration'],
    ['with an end of its session that is a text', signedWith({ sexp: '1900000000' }), 'expiration'],
    ['of no user', signedWith({ sub: undefined }), 'subject'],
    ['of another secret', sign(claims, 'a third secret that nobody has configured'), 'signature'],
    ['of nothing', '', 'malformed'],
  ])('is not %s', (_what, ticket, reason) => {
    expect(refusalOf(verify(ticket))).toBe(`401 bad token: ${reason}`);
  });
});

describe('a ticket that is redeemed', () => {
  const ticket = rightOf(verify(ticketOf()));

  test('is claimed by its id, for as long as any clock could still take it', async () => {
    const claimed: unknown[] = [];
    const claim = async (...args: [string, number]) => claimed.push(args) === 1;
    expect(await redeemTicket(ticket, claim, NOW_MS + 20_000)).toBe(true);
    expect(await redeemTicket(ticket, claim, NOW_MS + 20_000)).toBe(false);
    expect(claimed[0]).toEqual(['ticket:ticket-1', 40_000 + 60_000]);
  });

  test('lets nobody in while the broker is away', async () => {
    const away = () => Promise.reject(new Error('away'));
    await expect(redeemTicket(ticket, away, NOW_MS)).rejects.toThrow('away');
  });
});
