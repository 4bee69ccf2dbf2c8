import type { Snapshot } from '../ports.ts';

const DEFAULT_MAX_BYTES = 128 * 1024 * 1024;
/** Measured roughly, as an entry's. */
const OVERHEAD = 320;

/** The last snapshot of each channel, bounded by bytes over all of them: the one that was set longest ago goes first. */
export class Snapshots {
  readonly #maxBytes: number;
  readonly #byChannel = new Map<string, Snapshot>();
  #bytes = 0;

  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get(channel: string): Snapshot | undefined {
    return this.#byChannel.get(channel);
  }

  set(channel: string, snapshot: Snapshot): void {
    this.#remove(channel);
    this.#byChannel.set(channel, snapshot);
    this.#bytes += bytesOf(channel, snapshot);
    for (const oldest of this.#byChannel.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#remove(oldest);
    }
  }

  clear(): void {
    this.#byChannel.clear();
    this.#bytes = 0;
  }

  #remove(channel: string): void {
    const snapshot = this.#byChannel.get(channel);
    if (snapshot === undefined) return;
    this.#byChannel.delete(channel);
    this.#bytes -= bytesOf(channel, snapshot);
  }
}

const bytesOf = (channel: string, { topic = '', data }: Snapshot): number =>
  2 * (channel.length + topic.length) + data.length + OVERHEAD;
