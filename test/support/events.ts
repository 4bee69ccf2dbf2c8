import type { Entry } from '../../src/event/entry.ts';
import { type StreamId, streamId } from '../../src/event/stream-id.ts';
import { type RoutedEvent, Slabs } from '../../src/routing/routed-event.ts';

const DATA = Buffer.from('data');

/** Superset's payload for a channel. */
export function payloadFor(channel: string, data: unknown = null): Buffer {
  return Buffer.from(JSON.stringify({ channel_id: channel, data }));
}

/** An entry of the firehose. */
export function entryOf(id: StreamId, channel = 'c', data?: unknown): Entry {
  return { id, fields: [DATA, payloadFor(channel, data)] };
}

/** `<ms>-0` for each of the numbers, in order. */
export function idsOf(...ms: readonly number[]): StreamId[] {
  return ms.map((at) => streamId(at, 0));
}

const slabs = new Slabs();

export interface EventOptions {
  readonly channels?: string | readonly string[];
  readonly payload?: Buffer;
  readonly atMs?: number;
}

/** An event as the window takes it. */
export function eventOf(id: StreamId, { channels = 'c', payload, atMs = 0 }: EventOptions = {}): RoutedEvent {
  return slabs.keep(id, channels, payload ?? payloadFor('c'), { atMs });
}
