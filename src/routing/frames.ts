import type { Entry } from '../event/entry.ts';
import { isMalformed, type Malformed } from '../protocol/event-codec.ts';
import type { Gap, SocketProtocol } from './protocol.ts';
import type { RoutedEvent } from './routed-event.ts';
import type { Window } from './window.ts';

export interface FramesOptions {
  readonly protocol: SocketProtocol;
  readonly window: Window;
  /** Puts the transport's framing around a JSON text: the buffer every socket shares. */
  readonly frame: (text: Buffer) => Buffer;
  readonly onMalformed: (malformed: Malformed) => void;
}

/** Events made ready to be written: each is encoded once, whoever wants it. */
export class Frames {
  readonly #options: FramesOptions;
  /** Of entries that came by a page: shared by those who share the page. */
  readonly #ofEntries = new WeakMap<Entry, Buffer | Malformed>();

  constructor(options: FramesOptions) {
    this.#options = options;
  }

  ofEvent(event: RoutedEvent): Buffer | Malformed {
    if (event.frame !== undefined) return event.frame;
    const frame = this.#encode(event.id, event.channels, event.payload);
    this.#options.window.keepFrame(event, frame);
    return frame;
  }

  /** For an entry of a channel's own stream; one that names another channel is malformed. */
  ofEntry(entry: Entry, channel: string, payload: Buffer): Buffer | Malformed {
    const known = this.#ofEntries.get(entry);
    if (known !== undefined) return known;
    const frame = this.#encode(entry.id, channel, payload);
    this.#ofEntries.set(entry, frame);
    return frame;
  }

  ofGap(channels: readonly string[], gap: Gap): Buffer | undefined {
    const text = this.#options.protocol.gapText(channels, gap);
    return text === undefined ? undefined : this.#options.frame(text);
  }

  #encode(id: Entry['id'], channels: string | readonly string[], payload: Buffer): Buffer | Malformed {
    const { protocol, frame, onMalformed } = this.#options;
    const text = protocol.codec.encode(id, channels, payload);
    if (!isMalformed(text)) return frame(text);
    onMalformed(text);
    return text;
  }
}
