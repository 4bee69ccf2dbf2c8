import type { Entry } from '../event/entry.ts';
import type { StreamId } from '../event/stream-id.ts';
import { isMalformed, type Malformed, withHeadroom } from '../protocol/event-codec.ts';
import type { ChannelSnapshot, Gap, SocketProtocol } from './protocol.ts';
import { keptPayload, type RoutedEvent } from './routed-event.ts';
import type { Window } from './window.ts';

/** How a transport frames a text: made in place, behind free bytes. */
export interface Framing {
  readonly headroom: number;
  /** Makes the frame that every socket shares of a text with `headroom` free bytes before it. */
  frame(text: Buffer): Buffer;
  /** The same frame for peers that take compressed ones, or itself where that gains nothing. Undefined: never. */
  compress?(frame: Buffer): Buffer;
}

/** For transports whose frames are the texts themselves. */
export const bareFraming: Framing = { headroom: 0, frame: (text) => text };

export interface FramesOptions {
  readonly protocol: SocketProtocol;
  /** Where frames are kept for those who will want them, too; undefined: another form of the events has its place. */
  readonly window: Window | undefined;
  readonly framing: Framing;
  readonly onMalformed: (malformed: Malformed, id: StreamId) => void;
}

/** Events made ready to be written: each is encoded once, whoever wants it. */
export class Frames {
  readonly #options: FramesOptions;
  /** Of entries that came by a page: shared by those who share the page. */
  readonly #ofEntries = new WeakMap<Entry, Buffer | Malformed>();
  readonly #compressedOfEntries = new WeakMap<Entry, Buffer>();
  /** The event that is being routed, in the forms that somebody who is live has wanted. */
  #live: RoutedEvent | undefined;
  #livePlain: Buffer | Malformed | undefined;
  #liveCompressed: Buffer | undefined;

  constructor(options: FramesOptions) {
    this.#options = options;
  }

  /** For those who are live: whoever is, gets it in this turn, so it is not kept for longer. */
  ofLive(event: RoutedEvent, isCompressed: boolean): Buffer | Malformed {
    if (event !== this.#live) {
      this.#live = event;
      this.#livePlain = this.#plainOf(event);
      this.#liveCompressed = undefined;
    }
    const plain = this.#livePlain as Buffer | Malformed;
    if (!isCompressed || isMalformed(plain)) return plain;
    this.#liveCompressed ??= this.compressed(plain);
    return this.#liveCompressed;
  }

  /** The batch is routed. */
  forgetLive(): void {
    this.#live = undefined;
    this.#livePlain = undefined;
    this.#liveCompressed = undefined;
  }

  #plainOf(event: RoutedEvent): Buffer | Malformed {
    const { window } = this.#options;
    if (event.frame !== undefined && (window !== undefined || isMalformed(event.frame))) return event.frame;
    const frame = this.#encodeEvent(event);
    if (isMalformed(frame)) window?.keepFrame(event, frame);
    return frame;
  }

  /** For a replay: others who were away will want it too. */
  ofEvent(event: RoutedEvent, isCompressed: boolean): Buffer | Malformed {
    const { window } = this.#options;
    if (window === undefined) return this.#plainOf(event);
    const known = isCompressed ? event.compressed : event.frame;
    if (known !== undefined) return known;
    const frame = event.frame ?? this.#encodeEvent(event);
    if (isCompressed && !isMalformed(frame)) {
      const compressed = this.compressed(frame);
      window.keepCompressed(event, compressed);
      return compressed;
    }
    window.keepFrame(event, frame);
    return frame;
  }

  /** For an entry of a channel's own stream; one that names another channel is malformed. */
  ofEntry(entry: Entry, channel: string, isCompressed: boolean): Buffer | Malformed {
    let frame = this.#ofEntries.get(entry);
    if (frame === undefined) {
      frame = this.#encode(entry.id, channel, this.#options.protocol.codec.payloadOf(entry));
      this.#ofEntries.set(entry, frame);
    }
    if (!isCompressed || isMalformed(frame)) return frame;
    let compressed = this.#compressedOfEntries.get(entry);
    if (compressed === undefined) {
      compressed = this.compressed(frame);
      this.#compressedOfEntries.set(entry, compressed);
    }
    return compressed;
  }

  /** A frame for peers that take compressed ones; the caller keeps it for all of them. */
  compressed(frame: Buffer): Buffer {
    return this.#options.framing.compress?.(frame) ?? frame;
  }

  ofGap(channels: readonly string[], gap: Gap): Buffer | undefined {
    const text = this.#options.protocol.gapText(channels, gap);
    return text === undefined ? undefined : this.#frame(text);
  }

  /** Undefined: there is nothing that could be sent. */
  ofSnapshot(channel: string, snapshot: ChannelSnapshot): Buffer | undefined {
    const { protocol, onMalformed } = this.#options;
    const text = protocol.snapshotText?.(channel, snapshot);
    if (text === undefined) return undefined;
    if (!isMalformed(text)) return this.#frame(text);
    onMalformed(text, snapshot.id);
    return undefined;
  }

  /** For what is said to one socket. */
  ofText(text: string | Buffer): Buffer {
    return this.#frame(typeof text === 'string' ? Buffer.from(text) : text);
  }

  ofPing(id: StreamId | undefined): Buffer | undefined {
    const text = this.#options.protocol.pingText?.(id);
    return text === undefined ? undefined : this.ofText(text);
  }

  #frame(text: Buffer): Buffer {
    const { framing } = this.#options;
    return framing.frame(withHeadroom(framing.headroom, text));
  }

  #encodeEvent(event: RoutedEvent): Buffer | Malformed {
    return this.#encode(event.id, event.channels, keptPayload(event));
  }

  #encode(id: Entry['id'], channels: string | readonly string[], payload: Buffer): Buffer | Malformed {
    const { protocol, framing, onMalformed } = this.#options;
    const text = protocol.codec.encode(id, channels, payload, framing.headroom);
    if (!isMalformed(text)) return framing.frame(text);
    onMalformed(text, id);
    return text;
  }
}
