import type { StreamId } from '../event/stream-id.ts';
import type { Frames } from './frames.ts';
import type { ChannelSnapshot } from './protocol.ts';

/** A snapshot ready to be sent. */
export interface FramedSnapshot {
  readonly id: StreamId;
  readonly frame: Buffer;
}

/** Reads a channel's snapshot, framed; undefined when there is none. Rejects when the broker is away. */
export type ReadSnapshot = (channel: string) => Promise<FramedSnapshot | undefined>;

/** One read, and one frame, for all who ask for a channel's snapshot while it is being read. */
export function createSnapshots(
  read: (channel: string) => Promise<ChannelSnapshot | undefined>,
  frames: Pick<Frames, 'ofSnapshot'>,
): ReadSnapshot {
  const shared = new Map<string, Promise<FramedSnapshot | undefined>>();

  async function framed(channel: string): Promise<FramedSnapshot | undefined> {
    const snapshot = await read(channel);
    const frame = snapshot && frames.ofSnapshot(channel, snapshot);
    return frame && { id: snapshot.id, frame };
  }

  return (channel) => {
    const known = shared.get(channel);
    if (known !== undefined) return known;
    const reading = framed(channel).finally(() => shared.delete(channel));
    shared.set(channel, reading);
    return reading;
  };
}
