import { describe, expect, test } from '@jest/globals';
import {
  channelFilterOf,
  channelStates,
  queryOf,
  socketFilterOf,
  socketStates,
} from '../../panel/place/filter.ts';
import { CHANNEL_STATES, SOCKET_STATES } from '../../src/inspect/api.ts';
import { channelFilter, socketFilter } from '../../src/inspect/questions.ts';

describe("the filter of a list, in the page's address", () => {
  test('a whole one is read as it was written, and taken by the server', () => {
    const filter = {
      text: 'room & more',
      state: ['replaying', 'stale'],
      user: 'ann',
      channel: 'news',
      address: '10.0.0.1',
      minLagMs: 250,
      minBufferedBytes: 4096,
      sort: 'lagMs',
      isDescending: true,
    } as const;
    const read = socketFilterOf(new URLSearchParams(queryOf(filter)));
    expect(read).toEqual(filter);
    expect(socketFilter.parse(read)).toEqual(filter);
  });

  test('the same for channels', () => {
    const filter = { text: 'room', state: ['stale'], sort: 'subscribers', isDescending: true } as const;
    const read = channelFilterOf(new URLSearchParams(queryOf(filter)));
    expect(read).toEqual(filter);
    expect(channelFilter.parse(read)).toEqual(filter);
  });

  test('what is no value of a field is left out: an old link still shows a list', () => {
    const query =
      'text=&state=happy&sort=colour&minLagMs=soon&minBufferedBytes=-1&isDescending=perhaps&new=1';
    expect(socketFilterOf(new URLSearchParams(query))).toEqual({});
    expect(channelFilterOf(new URLSearchParams(query))).toEqual({});
  });

  test('nothing asked is no query', () => {
    expect(queryOf({})).toBe('');
    expect(queryOf({ text: '', state: [], isDescending: false, user: undefined })).toBe('');
  });

  test('the states are those of the contract, in its order', () => {
    expect(socketStates).toEqual(SOCKET_STATES);
    expect(channelStates).toEqual(CHANNEL_STATES);
  });
});
