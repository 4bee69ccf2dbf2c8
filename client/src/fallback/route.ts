import { CONNECT_TIMEOUT_MS } from '../connection.ts';
import { exchange } from '../credentials.ts';
import { type Clock, host, systemClock, type WebSocketConstructor, type WebSocketLike } from '../host.ts';
import type { FallbackOptions } from '../sse.ts';
import type { Credential, Http, HttpFetch } from './http.ts';
import { HttpLine } from './http-line.ts';
import { WebLine } from './web-line.ts';

type Way = 'web' | 'http';

/** For how long what is under way may keep a connection over HTTP from making way. */
const HAND_OVER_MS = 5_000;

/** Which way a connection goes: by a WebSocket as long as one can be opened, over HTTP otherwise. */
export class Route implements Http {
  readonly base: string;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly #url: string;
  readonly #options: FallbackOptions;
  readonly #WebSocket: WebSocketConstructor | undefined;
  readonly #attempts: number;
  /** WebSockets in a row that were of no use. */
  #failures = 0;
  #hasWorked = false;
  #way: Way = 'web';
  /** Of the next line, from when its credential is asked for. */
  #decided: Way | undefined;
  #line: HttpLine | undefined;
  /** One that was opened beside the line over HTTP, and is the next line. */
  #opened: { readonly socket: WebSocketLike; isClosed: boolean } | undefined;
  #token: string | undefined;
  #retry: unknown;
  #isStopped = false;

  constructor(url: string, options: FallbackOptions) {
    this.#url = url;
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.#WebSocket = options.WebSocket ?? host.WebSocket;
    this.#attempts = options.webSocketAttempts ?? 2;
    this.base = url.replace(/^ws/, 'http').replace(/\/?(?:[?#].*)?$/, '');
    if (this.#WebSocket === undefined) this.#way = 'http';
  }

  readonly fetch: HttpFetch = (url, request) =>
    (this.#options.fetch ?? ((...asked) => (host.fetch as unknown as HttpFetch)(...asked)))(url, request);

  /** Answers the line that is to be tried now. */
  dial(protocols: string[]): WebSocketLike {
    const way = this.#decide();
    this.#decided = undefined;
    const opened = this.#opened;
    this.#opened = undefined;
    if (way === 'web') {
      const socket = opened?.socket ?? this.#open(protocols);
      return new WebLine(socket, this.clock, this.#patienceMs, this.#webFacts, opened !== undefined);
    }
    const line = new HttpLine(this, {
      welcomed: () => this.#tryAgainLater(),
      ended: (wasWelcomed) => {
        this.#line = undefined;
        // Nothing can be reached: what comes back first is not known.
        if (!wasWelcomed) this.#prefer('web');
      },
    });
    this.#line = line;
    return line;
  }

  /** What a WebSocket is opened with; over HTTP a token goes along with each request. */
  async ticket(): Promise<string> {
    const { ticket, token } = this.#options;
    if (this.#decide() === 'http') {
      this.#token = await token?.();
      return '';
    }
    if (this.#opened !== undefined) return '';
    return ticket === undefined ? exchange(this.#url, this.#options) : ticket();
  }

  async credential(isToPublish = false): Promise<Credential> {
    if (this.#token !== undefined) return { headers: { authorization: `Bearer ${this.#token}` }, query: '' };
    const { ticket } = this.#options;
    if (ticket !== undefined) return withTicket(await ticket());
    return isToPublish ? withTicket(await this.#ticketForCookie()) : { headers: {}, query: '' };
  }

  renew(token: string): void {
    this.#token = token;
  }

  stop(): void {
    this.#isStopped = true;
    this.clock.clearTimeout(this.#retry);
    this.#opened?.socket.close();
  }

  #decide(): Way {
    // What was opened may be gone by now.
    if (this.#opened?.isClosed === true) {
      this.#opened = undefined;
      this.#prefer('http');
    }
    this.#decided ??= this.#way;
    return this.#decided;
  }

  get #patienceMs(): number {
    return this.#options.webSocketTimeoutMs ?? 5_000;
  }

  get #webFacts() {
    return {
      heard: () => {
        this.#failures = 0;
        this.#hasWorked = true;
      },
      failed: () => {
        this.#failures += 1;
        // Where one has worked, it is rather the server that is away.
        if (this.#failures >= this.#attempts * (this.#hasWorked ? 2 : 1)) this.#way = 'http';
      },
    };
  }

  /** After one failure more it is the other way. */
  #prefer(way: Way): void {
    if (this.#WebSocket === undefined) return;
    this.#way = way;
    this.#failures = this.#attempts * (this.#hasWorked ? 2 : 1) - 1;
  }

  #open(protocols: string[]): WebSocketLike {
    const WebSocket = this.#WebSocket as WebSocketConstructor;
    return new WebSocket(this.#url, protocols);
  }

  #tryAgainLater(): void {
    const { webSocketRetryMs = 300_000 } = this.#options;
    if (this.#WebSocket === undefined || this.#retry !== undefined || this.#isStopped) return;
    this.#retry = this.clock.setTimeout(() => {
      this.#retry = undefined;
      this.#tryAgain().catch(() => this.#tryAgainLater());
    }, webSocketRetryMs);
  }

  /** Opens a WebSocket beside the line over HTTP, which goes on until that is there. */
  async #tryAgain(): Promise<void> {
    const line = this.#line;
    // The next line over HTTP has it tried again once it is welcomed.
    if (line === undefined) return;
    const { ticket, token } = this.#options;
    const given =
      ticket === undefined && token === undefined
        ? undefined
        : ticket === undefined
          ? await exchange(this.#url, this.#options)
          : await ticket();
    if (line !== this.#line || this.#isStopped) return;
    const socket = this.#open([
      'signalbox.v1',
      ...(given === undefined ? [] : [`signalbox.ticket.${given}`]),
    ]);
    const opened = { socket, isClosed: false };
    const over = () => {
      if (opened.isClosed) return;
      opened.isClosed = true;
      this.clock.clearTimeout(patience);
      socket.close();
      this.#tryAgainLater();
    };
    const patience = this.clock.setTimeout(over, this.#patienceMs);
    socket.onclose = over;
    socket.onerror = () => {};
    socket.onmessage = () => {};
    socket.onopen = () => {
      this.clock.clearTimeout(patience);
      const take = () => {
        this.#opened = opened;
        this.#prefer('web');
      };
      if (line !== this.#line) over();
      else line.handOver(HAND_OVER_MS, take, over);
    };
  }

  /** A cookie publishes nothing, but gets a ticket, which does. */
  async #ticketForCookie(): Promise<string> {
    const answer = await this.fetch(`${this.base}/ticket`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
      credentials: 'include',
    });
    if (!answer.ok) throw new Error(`no ticket: status ${answer.status}`);
    return ((await answer.json()) as { ticket: string }).ticket;
  }
}

const withTicket = (ticket: string): Credential => ({
  headers: {},
  query: `?ticket=${encodeURIComponent(ticket)}`,
});
