/** Batches closer together than this, the pause between them apart, are worth a pause. */
const FAST_MS = 10;
/** The longest pause, as a multiple of the shortest. */
const MOST_TIMES = 4;
const MOST_PAUSE_MS = 50;
/** How much of the rate is the last batch's. */
const SHARE_OF_LAST = 0.25;
/**
 * The largest batch, and how long routing one may take: until it has been routed, everything else waits. With 25 ms
 * 1,000 channels with two sockets each took 73,000 deliveries a second as fast as it goes, with 60 ms 130,000.
 */
const MOST_COUNT = 5_000;
const MOST_ROUTING_MS = 60;

export interface ReadPaceOptions {
  /** The shortest pause; 0: none. */
  readonly pauseMs: number;
  /** How many entries a read asks for at least. */
  readonly readCount: number;
}

/** A read that has been routed. */
export interface Read {
  readonly count: number;
  /** Whether it brought as much as it could: more is waiting. */
  readonly isFull: boolean;
  /** When its last entry had been routed. */
  readonly endMs: number;
  readonly routingMs: number;
}

/**
 * How many entries the next read asks for, and how long to wait before it.
 *
 * A read costs 80 to 150 µs whatever it brings, an entry in it 0.6 µs, and all that one batch brings to a socket
 * leaves in one write. So while events come fast there is a pause, which grows with the rate: from `pauseMs` at 1,000
 * events a second to four times that at 4,000. Whoever publishes little waits for nothing. A batch that was full
 * means that this process is behind: there is no pause then, and the next one may be twice as large.
 */
export class ReadPace {
  readonly #options: ReadPaceOptions;
  #count: number;
  #lastEndMs = 0;
  #pauseMs = 0;
  #eventsPerMs = 0;

  constructor(options: ReadPaceOptions) {
    this.#options = options;
    this.#count = options.readCount;
  }

  get count(): number {
    return this.#count;
  }

  /** 0: none. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  record({ count, isFull, endMs, routingMs }: Read): void {
    const { pauseMs, readCount } = this.#options;
    const sinceMs = endMs - this.#lastEndMs;
    const isFast = sinceMs - this.#pauseMs < FAST_MS;
    this.#lastEndMs = endMs;
    this.#eventsPerMs += (count / Math.max(1, sinceMs) - this.#eventsPerMs) * SHARE_OF_LAST;
    const times = Math.min(MOST_TIMES, Math.max(1, this.#eventsPerMs));
    const wantedMs = Math.max(pauseMs, Math.min(MOST_PAUSE_MS, pauseMs * times));
    this.#pauseMs = isFast && !isFull ? wantedMs : 0;
    if (isFull && routingMs < MOST_ROUTING_MS) {
      this.#count = Math.min(Math.max(MOST_COUNT, readCount), this.#count * 2);
    } else if (count < this.#count / 2 || routingMs > MOST_ROUTING_MS) {
      this.#count = Math.max(readCount, Math.ceil(this.#count / 2));
    }
  }
}
