import type { NativeLog } from './broker/ports.ts';
import type { StreamId } from './event/stream-id.ts';
import { previousId } from './event/stream-id.ts';
import { type EventCodec, isMalformed } from './protocol/event-codec.ts';
import type { History } from './transport/http-native.ts';

/** Reads parts of channels' history as the event frames that sockets get. */
export function createHistory(log: Pick<NativeLog, 'range'>, codec: EventCodec, epoch: () => string) {
  return async (channel: string, after: StreamId, limit: number): Promise<History> => {
    const { entries, trimmed } = await log.range(channel, after, undefined, limit);
    const events = entries.flatMap((entry) => {
      const text = codec.encode(entry.id, channel, codec.payloadOf(entry), 0);
      return isMalformed(text) ? [] : [text.toString()];
    });
    const first = entries[0];
    const gap =
      trimmed && first !== undefined
        ? { after, id: previousId(first.id), reason: 'trimmed' as const }
        : undefined;
    return { events, gap, next: entries.at(-1)?.id ?? after, epoch: epoch() };
  };
}
