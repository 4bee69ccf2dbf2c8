import type { SnapshotFrom } from 'xstate';
import type { channelMachine } from '../../machines/channel.machine.ts';
import type { socketMachine } from '../../machines/socket.machine.ts';
import type { ChannelState, SocketState } from '../inspect/api.ts';

/** What a socket is doing, in one word: of its regions, the one that matters most. */
export function socketState({ value }: SnapshotFrom<typeof socketMachine>): SocketState {
  if (typeof value === 'string') return value === 'connecting' ? 'connecting' : 'closing';
  const { delivery, heartbeat } = value.open;
  if (typeof heartbeat === 'object' && heartbeat.unanswered === 'stale') return 'stale';
  return delivery === 'live' ? 'live' : 'replaying';
}

/** What a channel is doing; undefined: it is no more. */
export function channelState({ value }: SnapshotFrom<typeof channelMachine>): ChannelState | undefined {
  if (typeof value === 'object') return 'connecting';
  return value === 'collected' ? undefined : value;
}
