import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { tokenWith } from '../native/client.ts';

export interface NumberStreamOptions {
  /** Of the server, or of what stands before it. */
  readonly url: string;
  readonly channel: string;
  readonly user?: string;
  /** Where it goes on. */
  readonly lastEventId?: string | undefined;
  /** The number of the event at `lastEventId`; left out: whichever comes first is the first. */
  readonly last?: number | undefined;
}

/** What a data line begins with: all that is looked at of it. */
const NUMBER = /^\{"n":(\d+)/;
const MAX_FAULTS = 5;

/** Who reads a stream of one channel of numbered events: it keeps none of them, only whether each was the next one. */
export class NumberStream {
  last: number | undefined;
  lastEventId: string | undefined;
  heard = 0;
  /** What was said last of when to come back, ms. */
  retryMs: number | undefined;
  status: number | undefined;
  headers: IncomingMessage['headers'] = {};
  hasEnded = false;
  /** What should not have come. */
  readonly faults: string[] = [];
  /** When bytes came, whatever they were. */
  readonly cameAtMs: number[] = [];
  readonly #options: NumberStreamOptions;
  readonly #request: ClientRequest;
  #response: IncomingMessage | undefined;
  #onOpen: (() => void) | undefined;
  #rest = '';
  #event: string | undefined;
  #data: string | undefined;

  constructor(options: NumberStreamOptions) {
    const { url, channel, user, lastEventId } = options;
    this.#options = options;
    this.last = options.last;
    this.lastEventId = lastEventId;
    const headers = {
      accept: 'text/event-stream',
      authorization: `Bearer ${tokenWith({ sub: user ?? '5' })}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    };
    // A connection of its own, as a browser has it for each stream.
    this.#request = get(`${url}/events?channel=${channel}`, { agent: false, headers }, (response) => {
      this.#response = response;
      this.status = response.statusCode;
      this.headers = response.headers;
      response.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
      response.on('error', () => {});
      response.on('close', () => this.#end());
    });
    this.#request.on('error', () => this.#end());
  }

  /** One that goes on where this one is. */
  next(url = this.#options.url): NumberStream {
    const { last, lastEventId } = this;
    return new NumberStream({ ...this.#options, url, last, lastEventId });
  }

  /** Whether its first block has come: it hears what is published from now on. */
  get isOpen(): boolean {
    return this.retryMs !== undefined && !this.hasEnded;
  }

  /** Resolves when it is, or has ended. */
  opens(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isOpen || this.hasEnded) resolve();
      else this.#onOpen = resolve;
    });
  }

  /** Reads nothing until `resume`: what is on its way fills the buffers between them. */
  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  leave(): void {
    this.#request.destroy();
  }

  #end(): void {
    this.hasEnded = true;
    this.#onOpen?.();
  }

  #receive(text: string): void {
    this.cameAtMs.push(performance.now());
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === '') this.#dispatch();
    else if (line.startsWith('data: ')) this.#data = line.slice(6);
    else if (line.startsWith('id: ')) this.lastEventId = line.slice(4);
    else if (line.startsWith('event: ')) this.#event = line.slice(7);
    else if (line.startsWith('retry: ')) this.#told(Number(line.slice(7)));
    else if (!line.startsWith(':')) this.#fault(`the line ${line}`);
  }

  #told(retryMs: number): void {
    this.retryMs = retryMs;
    this.#onOpen?.();
  }

  #dispatch(): void {
    const data = this.#data;
    const event = this.#event;
    this.#data = undefined;
    this.#event = undefined;
    if (data === undefined) return;
    const n = Number(NUMBER.exec(data)?.[1] ?? Number.NaN);
    if (event !== 't' || Number.isNaN(n)) this.#fault(`${event}: ${data.slice(0, 100)}`);
    else if (this.last !== undefined && n !== this.last + 1) this.#fault(`${n} after ${this.last}`);
    this.last = n;
    this.heard += 1;
  }

  #fault(what: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(what);
  }
}
