import { beforeEach, describe, expect, test } from '@jest/globals';
import * as Either from 'fp-ts/lib/Either.js';
import { countedAccess, countedAuthenticate, createRefusalCount } from '../../src/auth/counted-access.ts';
import { authError } from '../../src/auth/auth-error.ts';
import type { NativeAccess } from '../../src/auth/native-access.ts';
import { Recorder } from '../../src/telemetry/recorder.ts';
import { principal, refusalOf, ticketOf, tokenWith } from '../support/native-auth.ts';
import { nativeAccess } from '../support/native-http.ts';

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, target: '/' });

describe('refusals of native access', () => {
  let metrics: Recorder;
  let access: NativeAccess;
  beforeEach(() => {
    metrics = new Recorder();
    access = countedAccess(nativeAccess(), createRefusalCount(metrics, 'native'));
  });
  const refused = (): Readonly<Record<string, number>> => metrics.figures.counters;

  test('are counted by what is wrong, and who is let in is not', async () => {
    expect(refusalOf(await access.authenticate(bearer(tokenWith())))).toBe('let in');
    expect(refused()).toEqual({});
    await access.authenticate(bearer(tokenWith({ exp: 1 })));
    await access.authenticate({ headers: {}, target: '/' });
    await access.authenticateStream({ headers: {}, target: '/' });
    await access.refresh(tokenWith({ sub: 'another' }), principal);
    expect(refused()).toEqual({
      'signalbox.auth_refused native expired': 1,
      'signalbox.auth_refused native absent': 2,
      'signalbox.auth_refused native subject': 1,
    });
  });

  test('of a page from elsewhere are counted', () => {
    const cookie = `${access.cookieName}=${tokenWith()}`;
    const request = { headers: { origin: 'https://elsewhere.example', cookie }, target: '/' };
    expect(access.isAllowedOrigin(request)).toBe(false);
    expect(refused()).toEqual({ 'signalbox.auth_refused native origin': 1 });
    expect(access.isAllowedOrigin({ headers: {}, target: '/' })).toBe(true);
  });

  test('of a ticket that was used are counted, at its second use', async () => {
    const found = await access.authenticate({ headers: {}, target: `/?ticket=${ticketOf()}` });
    const { ticket } = Either.isRight(found) ? found.right : {};
    if (ticket === undefined) throw new Error('no ticket');
    expect(await access.redeem(ticket)).toBe(true);
    expect(refused()).toEqual({});
    expect(await access.redeem(ticket)).toBe(false);
    expect(refused()).toEqual({ 'signalbox.auth_refused native used_ticket': 1 });
  });

  test('of an application that takes its time are counted when it answers', async () => {
    const slow: NativeAccess = {
      ...nativeAccess(),
      authenticate: () => Promise.resolve(Either.left(authError('application'))),
    };
    await countedAccess(slow, createRefusalCount(metrics, 'native')).authenticate(bearer('x'));
    expect(refused()).toEqual({ 'signalbox.auth_refused native application': 1 });
  });
});

test("refusals of Superset's clients are counted as theirs", () => {
  const metrics = new Recorder();
  const authenticate = countedAuthenticate(
    () => Either.left(authError('signature')),
    createRefusalCount(metrics, 'superset'),
  );
  authenticate(bearer('x'));
  expect(metrics.figures.counters).toEqual({ 'signalbox.auth_refused superset signature': 1 });
});
