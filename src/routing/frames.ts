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
  readonly window: Window;
  readonly framing: Framing;
  readonly onMalformed: (malformed: Malformed) => void;
}

/** Events made ready to be written: each is encoded once, whoever wants it. */
export class Frames {
  readonly #options: FramesOptions;
  /** Of entries that came by a page: shared by those who share the page. */
  readonly #ofEntries = new WeakMap<Entry, Buffer | Malformed>();
  readonly #compressedOfEntries = new WeakMap<Entry, Buffer>();

  constructor(options: FramesOptions) {
    this.#options = options;
  }

  /** For those who are live: whoever is, gets it in this turn, so it is not kept. */
  ofLive(event: RoutedEvent): Buffer | Malformed {
    if (event.frame !== undefined) return event.frame;
    const frame = this.#encodeEvent(event);
    if (isMalformed(frame)) this.#options.window.keepFrame(event, frame);
    return frame;
  }

  /** For a replay: others who were away will want it too. */
  ofEvent(event: RoutedEvent, isCompressed: boolean): Buffer | Malformed {
    const { window } = this.#options;
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
    onMalformed(text);
    return undefined;
  }

  /** For what is said to one socket. */
  ofText(text: string): Buffer {
    return this.#frame(Buffer.from(text));
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
    onMalformed(text);
    return text;
  }
}
