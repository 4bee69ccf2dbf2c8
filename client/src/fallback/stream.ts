import type { ServerFrame } from '../frames.ts';
import { host } from '../host.ts';
import { BlockReader } from './blocks.ts';
import { cookieOf, type Http, queryOf, signalOf } from './http.ts';

/** How a stream ended: the status of a refusal, and after how long one may come back, where the server says. */
export interface StreamEnd {
  readonly status: number | undefined;
  readonly retryMs: number | undefined;
}

/** A channel, and what is asked of it. */
export interface Wish {
  readonly channel: string;
  readonly query?: unknown;
}

export interface StreamOptions {
  /** None: those of the user and the session. */
  readonly channels: readonly Wish[];
  /** `<epoch>.<id>`; undefined: from now. */
  readonly position: string | undefined;
  frame(frame: ServerFrame, text: string): void;
  /** Called once, unless it is closed here. */
  ended(end: StreamEnd): void;
}

const SILENT_INTERVALS = 1.5;
/** Where the server does not ping: a stream says something every 15 s. */
const SILENCE_MS = 25_000;

/** A stream of frames of `signalbox.v1`, read with `fetch`, so that it may have an Authorization. */
export class Stream {
  /** Those whose frames count; one that has left comes by another stream, and this one has skipped some of it by then. */
  readonly channels: Set<string>;
  /** Of how many it is on the server. */
  width = 0;
  readonly #http: Http;
  readonly #options: StreamOptions;
  readonly #abort = new host.AbortController();
  readonly #blocks = new BlockReader();
  #silenceMs: number;
  #silence: unknown;
  #retryMs: number | undefined;
  #isOver = false;

  constructor(http: Http, options: StreamOptions) {
    this.channels = new Set(options.channels.map(({ channel }) => channel));
    this.#http = http;
    this.#options = options;
    // Until there is a welcome.
    this.#silenceMs = http.connectTimeoutMs;
    this.#wait();
    this.#read().then(
      (status) => this.#end(status),
      () => this.#end(),
    );
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#http.clock.clearTimeout(this.#silence);
    this.#abort.abort();
  }

  /** Answers the status of a refusal. */
  async #read(): Promise<number | undefined> {
    const { base, fetch } = this.#http;
    const { channels, position } = this.#options;
    const credential = await this.#http.credential();
    if (this.#isOver) return undefined;
    const fields = [
      'frames=signalbox.v1',
      ...channels.map(({ channel, query }) => {
        const name = encodeURIComponent(channel);
        const asked =
          query === undefined ? '' : `&query[${name}]=${encodeURIComponent(JSON.stringify(query))}`;
        return `channel=${name}${asked}`;
      }),
      ...(position === undefined ? [] : [`lastEventId=${encodeURIComponent(position)}`]),
    ];
    const answer = await fetch(`${base}/events${queryOf(credential, fields.join('&'))}`, {
      method: 'GET',
      headers: { ...credential.headers },
      cache: 'no-store',
      ...cookieOf(credential),
      ...signalOf(this.#abort),
    });
    if (!answer.ok) return answer.status;
    // Whatever else is in between has answered in the place of the server.
    if (answer.headers.get('content-type')?.startsWith('text/event-stream') !== true) return undefined;
    const reader = answer.body?.getReader();
    const decoder = new host.TextDecoder();
    while (reader !== undefined && !this.#isOver) {
      const { done, value } = await reader.read();
      if (done) break;
      this.#take(decoder.decode(value, { stream: true }));
    }
    return undefined;
  }

  #take(text: string): void {
    for (const { data, retry } of this.#blocks.push(text)) {
      if (this.#isOver) return;
      if (retry !== undefined) this.#retryMs = retry;
      if (data === undefined) continue;
      const frame = JSON.parse(data) as ServerFrame;
      if (frame.type === 'welcome') {
        this.width = frame.subscriptions.length;
        this.#silenceMs = frame.pingInterval * SILENT_INTERVALS || SILENCE_MS;
      }
      this.#options.frame(frame, data);
    }
    if (!this.#isOver) this.#wait();
  }

  /** On a dead line nothing is heard, not even that it is dead. */
  #wait(): void {
    const { clock } = this.#http;
    clock.clearTimeout(this.#silence);
    this.#silence = clock.setTimeout(() => this.#end(), this.#silenceMs);
  }

  #end(status?: number): void {
    if (this.#isOver) return;
    this.close();
    this.#options.ended({ status, retryMs: this.#retryMs });
  }
}
