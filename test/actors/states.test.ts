import { describe, expect, test } from '@jest/globals';
import type { SnapshotFrom } from 'xstate';
import { channelMachine } from '../../machines/channel.machine.ts';
import { socketMachine } from '../../machines/socket.machine.ts';
import { channelState, socketState } from '../../src/actors/states.ts';

type SocketValue = SnapshotFrom<typeof socketMachine>['value'];
type ChannelValue = SnapshotFrom<typeof channelMachine>['value'];

/** Every state that a machine can be in, as its values. */
const leaves = (machine: {
  readonly root: { readonly states: Readonly<Record<string, unknown>> };
}): string[] => Object.keys(machine.root.states);

const open = (delivery: unknown, heartbeat: unknown): SocketValue =>
  ({ open: { delivery, heartbeat, credential: 'lasting' } }) as SocketValue;
const awaiting = { unanswered: 'awaiting' };
const stale = { unanswered: 'stale' };

describe('the state of a socket, in one word', () => {
  test.each<[string, SocketValue]>([
    ['connecting', 'connecting'],
    ['live', open('live', 'idle')],
    ['live', open('live', awaiting)],
    ['replaying', open({ replaying: 'catchingUp' }, 'idle')],
    ['replaying', open({ replaying: 'blocked' }, awaiting)],
    ['replaying', open({ replaying: 'waiting' }, 'idle')],
    ['stale', open({ replaying: 'catchingUp' }, stale)],
    ['stale', open('live', stale)],
    ['closing', 'closing'],
    ['closing', 'terminating'],
    ['closing', 'closed'],
  ])('is %s when it is %j', (word, value) => {
    expect(socketState({ value } as SnapshotFrom<typeof socketMachine>)).toBe(word);
  });

  test('is known of all states that the machine has', () => {
    expect(leaves(socketMachine)).toEqual(['connecting', 'open', 'closing', 'terminating', 'closed']);
  });
});

describe('the state of a channel, in one word', () => {
  test.each<[string | undefined, ChannelValue]>([
    ['connecting', { connecting: 'attaching' }],
    ['connecting', { connecting: 'waiting' }],
    ['live', 'live'],
    ['replaying', 'replaying'],
    ['stale', 'stale'],
    [undefined, 'collected'],
  ])('is %s when it is %j', (word, value) => {
    expect(channelState({ value } as SnapshotFrom<typeof channelMachine>)).toBe(word);
  });

  test('is known of all states that the machine has', () => {
    expect(leaves(channelMachine)).toEqual(['connecting', 'live', 'replaying', 'stale', 'collected']);
  });
});
