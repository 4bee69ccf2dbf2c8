import { describe, expect, test } from '@jest/globals';
import { Sockets } from '../../src/library/sockets.ts';
import { type ClientSession, Sessions } from '../../src/protocol/native/sessions.ts';
import { principal } from '../support/native-auth.ts';

function fail(error: unknown): never {
  throw error;
}

function sessionOf(id: string): ClientSession {
  return {
    id,
    principal,
    channels: [],
    isSubscribed: () => false,
    tell: () => 'ok',
    publish() {},
    end: () => true,
  };
}

describe('the sockets that a program sees', () => {
  test('are kept from when they are there, and not for having been asked about', () => {
    const sessions = new Sessions();
    const sockets = new Sockets(sessions, fail);
    const peer = { socket: 's-1', principal };
    sockets.of(peer);
    expect(sockets.size).toBe(0);
    sessions.add(sessionOf('s-1'));
    sockets.of(peer);
    expect(sockets.size).toBe(1);
    sockets.closed(peer, 'gone');
    expect(sockets.size).toBe(0);
  });

  test('are one object each, before they are there, and whoever they are later', () => {
    const sessions = new Sessions();
    const sockets = new Sockets(sessions, fail);
    const before = sockets.of({ socket: 's-1', principal });
    expect(sockets.of({ socket: 's-1', principal })).toBe(before);
    before.locals['seen'] = true;
    const session = sessionOf('s-1');
    sessions.add(session);
    expect(sockets.of({ socket: 's-1', principal })).toBe(before);
    const refreshed = { ...principal };
    expect(sockets.of({ socket: 's-1', principal: refreshed })).toBe(before);
    sessions.remove(session);
    expect(sockets.of({ socket: 's-1', principal: refreshed })).toBe(before);
    expect(sockets.of({ socket: 's-2', principal })).not.toBe(before);
    sockets.closed({ socket: 's-1', principal: refreshed }, 'gone');
    expect(before.isOpen).toBe(false);
  });
});
