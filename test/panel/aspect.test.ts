import { describe, expect, test } from '@jest/globals';
import { aspectOfPath, aspectOfState } from '../../panel/chart/aspect.ts';
import { CHANNEL_STATES, SOCKET_STATES } from '../../src/inspect/api.ts';

describe('what a signal shows', () => {
  test('states that a list tells apart are told apart by their lamps', () => {
    for (const states of [SOCKET_STATES, CHANNEL_STATES]) {
      const aspects = states.map(aspectOfState);
      expect(new Set(aspects).size).toBe(states.length);
    }
  });

  test.each([
    ['open.delivery.live', 'clear'],
    ['open.credential.lasting', 'clear'],
    ['open.delivery.replaying.blocked', 'caution'],
    ['open.heartbeat.unanswered.awaiting', 'caution'],
    ['open.heartbeat.unanswered.stale', 'danger'],
    ['terminating', 'danger'],
    ['closed', 'dark'],
  ])('%s is %s', (path, aspect) => {
    expect(aspectOfPath(path)).toBe(aspect);
  });
});
