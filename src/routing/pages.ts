import type { EventLog, Page } from '../broker/ports.ts';
import type { StreamId } from '../event/stream-id.ts';

export interface PagesOptions {
  readonly log: Pick<EventLog, 'range'>;
  /** Reads under way at once; the others wait their turn. */
  readonly maxReads: number;
  readonly onRequested: (channel: string) => void;
  readonly onSettled: (channel: string) => void;
}

/** Reads of channels' history: bounded in number, in turn, and shared by those who want the same range. */
export class Pages {
  readonly #options: PagesOptions;
  readonly #shared = new Map<string, Promise<Page>>();
  readonly #waiting: (() => void)[] = [];
  #reads = 0;

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  /**
   * `(after, end]` of a channel, at most `count` entries; `end` undefined: to its end. Not shared with a read that
   * began at another position than `readAt`. Rejects when the broker is away.
   */
  read(
    channel: string,
    after: StreamId,
    end: StreamId | undefined,
    count: number,
    readAt: StreamId,
  ): Promise<Page> {
    const key = `${after} ${end ?? '+'} ${count} ${readAt} ${channel}`;
    const shared = this.#shared.get(key);
    if (shared !== undefined) return shared;
    const page = this.#readInTurn(channel, after, end, count).finally(() => this.#shared.delete(key));
    this.#shared.set(key, page);
    return page;
  }

  async #readInTurn(
    channel: string,
    after: StreamId,
    end: StreamId | undefined,
    count: number,
  ): Promise<Page> {
    const { log, maxReads, onRequested, onSettled } = this.#options;
    if (this.#reads >= maxReads) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reads += 1;
    onRequested(channel);
    try {
      const page = await log.range(channel, after, end, count);
      // Copies: frames are kept for as long as their entry, which an embedded log keeps for its whole history.
      return { ...page, entries: page.entries.map(({ id, fields }) => ({ id, fields })) };
    } finally {
      onSettled(channel);
      const next = this.#waiting.shift();
      if (next === undefined) this.#reads -= 1;
      else next();
    }
  }
}
