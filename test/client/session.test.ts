import { describe, expect, test } from '@jest/globals';
import { Session } from '../../client/src/tabs/session.ts';

describe('a session of a tab', () => {
  test('does not hear what it has muted, once', () => {
    const session = new Session('s');
    session.mute('5-0', { lastId: '4-0', epoch: 'e1' });
    expect(session.wants('4-9')).toBe(true);
    expect(session.wants('5-0')).toBe(false);
    expect(session.wants('5-0')).toBe(true);
  });

  test('keeps nothing of what has come already, or never comes', () => {
    const session = new Session('s');
    session.mute('5-0', { lastId: '5-0', epoch: 'e1' });
    session.mute('6-0', undefined);
    expect([session.wants('5-0'), session.wants('6-0')]).toEqual([true, true]);
  });

  test('is gone when it answers no ping for the third time', () => {
    const session = new Session('s');
    expect([session.ping(), session.ping()]).toEqual([true, true]);
    session.pong();
    expect([session.ping(), session.ping(), session.ping()]).toEqual([true, true, false]);
  });
});
