import type { NativeLog } from './broker/ports.ts';
import { previousId, type StreamId, ZERO_ID } from './event/stream-id.ts';
import { type EventCodec, isMalformed } from './protocol/event-codec.ts';
import type { History } from './transport/http-native.ts';

/** Reads parts of channels' history as the event frames that sockets get. */
export function createHistory(
  log: Pick<NativeLog, 'range' | 'lastId'>,
  codec: EventCodec,
  epoch: () => string,
) {
  return async (channel: string, given: StreamId | undefined, limit: number): Promise<History> => {
    const after = given ?? ZERO_ID;
    const end = await log.lastId();
    const { entries, trimmed } = await log.range(channel, after, end, limit);
    const events = entries.flatMap((entry) => {
      const text = codec.encode(entry.id, channel, codec.payloadOf(entry), 0);
      return isMalformed(text) ? [] : [text.toString()];
    });
    const first = entries[0];
    // Who asks for the beginning misses nothing that was before it.
    const isGap = trimmed && given !== undefined;
    const gap = isGap
      ? { after, id: first === undefined ? end : previousId(first.id), reason: 'trimmed' as const }
      : undefined;
    return { events, gap, next: entries.at(-1)?.id ?? gap?.id ?? after, epoch: epoch() };
  };
}
