import type { HttpAnswer, HttpFetch, HttpRequest } from '../../../client/src/sse.ts';
import { compareIds, laterId, type StreamId } from '../../../src/event/stream-id.ts';
import { parseSsePosition } from '../../../src/protocol/native/sse-position.ts';
import { sseBlock } from '../../../src/protocol/native/sse-text.ts';
import type { TestServer } from './server.ts';

export interface TestHttpOptions {
  /** Whose streams they are. */
  readonly user?: string;
  readonly snapshot?: (channel: string) => { readonly id: StreamId; readonly data: unknown } | undefined;
  /** The status of a refusal. */
  readonly refuse?: (path: string, channels: readonly string[]) => number | undefined;
  /** Between pings, 2 s; 0: a comment every 15 s. */
  readonly pingMs?: number;
  /** What goes by a dead line: there is never an answer. */
  readonly isDead?: (path: string, channels: readonly string[]) => boolean;
}

const RETRY_MS = 300;
const PING_MS = 2_000;
const COMMENT_MS = 15_000;
const bytes = new TextEncoder();

/** Whatever is under way of one request. */
interface Line {
  isCut: boolean;
  fail(): void;
}

/** What a `TestServer` has, over HTTP: streams with one cursor for all their channels, and requests; late, or not at all. */
export class TestHttp {
  /** Whether it can be reached. */
  isUp = true;
  /** Each as `GET /events?channel=a`. */
  readonly requests: string[] = [];
  readonly #server: TestServer;
  readonly #options: TestHttpOptions;
  readonly #lines = new Set<Line>();
  readonly #streams = new Set<(frame: object) => void>();

  constructor(server: TestServer, options: TestHttpOptions = {}) {
    this.#server = server;
    this.#options = options;
  }

  readonly fetch: HttpFetch = (url, request) =>
    new Promise((resolve, reject) => {
      const { pathname, search, searchParams } = new URL(url);
      const path = pathname.replace(/^.*\//, '/');
      this.requests.push(`${request.method} ${pathname}${search}`);
      const line: Line = { isCut: false, fail: () => reject(new TypeError('fetch failed')) };
      const end = () => {
        line.isCut = true;
        line.fail();
        this.#lines.delete(line);
      };
      this.#lines.add(line);
      (request.signal as AbortSignal | undefined)?.addEventListener('abort', end);
      if (this.#options.isDead?.(path, searchParams.getAll('channel')) === true) return;
      this.#later(line, () => {
        if (!this.isUp) return end();
        const status = this.#options.refuse?.(path, searchParams.getAll('channel'));
        const answer =
          status !== undefined
            ? answerOf(status, { code: 'forbidden' })
            : path === '/events'
              ? this.#stream(line, searchParams)
              : this.#post(path, request);
        this.#later(line, () => resolve(answer));
      });
    });

  /** Every request and stream is gone at once. `isNoticed` false: nobody hears of that. */
  cut(isNoticed: boolean): void {
    for (const line of this.#lines) {
      line.isCut = true;
      if (isNoticed) line.fail();
    }
    this.#lines.clear();
  }

  /** Tells the user: whoever has several streams hears it on each. */
  tell(topic: string, data: unknown): void {
    for (const say of this.#streams) say({ type: 'tell', topic, data });
  }

  #later(line: Line, run: () => void): void {
    const { clock, random } = this.#server;
    clock.setTimeout(() => {
      if (!line.isCut) run();
    }, random.below(30));
  }

  #post(path: string, { body = '{}' }: HttpRequest): HttpAnswer {
    const said = JSON.parse(body) as { channel: string; topic: string; data: unknown; key?: string };
    if (path === '/ask') return answerOf(200, { data: said.data ?? null });
    if (path === '/tell') return answerOf(200, { status: 'ok' });
    if (path === '/ticket') return answerOf(201, { ticket: 't' });
    return answerOf(201, { id: this.#server.publishOnce(said.channel, said.topic, said.data, said.key) });
  }

  #stream(line: Line, query: URLSearchParams): HttpAnswer {
    const server = this.#server;
    const { user = 'ann', snapshot, pingMs = PING_MS } = this.#options;
    const asked = query.getAll('channel');
    const channels = asked.length === 0 ? [`user:${user}`] : asked;
    const given = parseSsePosition(query.get('lastEventId') ?? '');
    const body = new Body((text) => this.#split(text));
    line.fail = () => body.fail();
    const say = (frame: object) =>
      this.#inOrder(line, () => body.push(sseBlock({ data: JSON.stringify(frame) })));
    const first =
      channels.length === 1 && given === undefined ? snapshot?.(channels[0] as string) : undefined;
    this.#streams.add(say);
    let cursor = first?.id ?? given?.id ?? server.position;
    let isBehind = given !== undefined;
    const isGone = () => channels.some((channel) => compareIds(server.floorOf(channel), cursor) > 0);
    this.#inOrder(line, () => body.push(sseBlock({ retry: RETRY_MS })));
    say({
      type: 'welcome',
      ref: 0,
      socket: 's',
      user,
      pingInterval: pingMs,
      subscriptions: channels.map((channel) => ({
        channel,
        id: cursor,
        epoch: server.epoch,
        recovered: !isGone(),
      })),
    });
    if (first !== undefined) say({ type: 'snapshot', channel: channels[0], id: first.id, data: first.data });
    if (given === undefined && channels.length === 1) say({ type: 'ping' });
    const step = (): void => {
      if (line.isCut) return void server.onAppended.delete(soon);
      if (isGone()) {
        const id = channels.map((channel) => server.floorOf(channel)).reduce(laterId);
        for (const channel of channels) say({ type: 'gap', channel, after: cursor, id, reason: 'trimmed' });
        cursor = id;
        const found = channels.length === 1 ? snapshot?.(channels[0] as string) : undefined;
        if (found !== undefined && compareIds(found.id, cursor) >= 0) {
          say({ type: 'snapshot', channel: channels[0], id: found.id, data: found.data });
          cursor = found.id;
        }
      }
      const next = server.kept.find(
        ({ channel, id }) => channels.includes(channel) && compareIds(id, cursor) > 0,
      );
      if (next === undefined) {
        if (isBehind) say({ type: 'ping', id: server.position });
        isBehind = false;
        return;
      }
      cursor = next.id;
      const { channel, topic, id, data } = next;
      say({ type: 'event', channel, topic, id, time: Number(id.split('-')[0]), data: JSON.parse(data) });
      soon();
    };
    let isDue = false;
    const soon = (): void => {
      if (isDue) return;
      isDue = true;
      server.clock.setTimeout(() => {
        isDue = false;
        step();
      }, server.random.below(10));
    };
    const ping = (): void => {
      if (line.isCut) return;
      if (pingMs > 0) say({ type: 'ping', ...(!isDue && { id: server.position }) });
      else this.#inOrder(line, () => body.push(':\n\n'));
      server.clock.setTimeout(ping, pingMs || COMMENT_MS);
    };
    server.onAppended.add(soon);
    soon();
    server.clock.setTimeout(ping, pingMs || COMMENT_MS);
    return { ...answerOf(200, {}), headers: headersOf('text/event-stream'), body };
  }

  readonly #lastMs = new WeakMap<Line, number>();

  #inOrder(line: Line, run: () => void): void {
    const { clock, random } = this.#server;
    const atMs = Math.max(this.#lastMs.get(line) ?? 0, clock.now() + random.below(30));
    this.#lastMs.set(line, atMs);
    clock.setTimeout(() => {
      if (!line.isCut) run();
    }, atMs - clock.now());
  }

  /** In two pieces, cut anywhere. */
  #split(text: string): Uint8Array[] {
    const all = bytes.encode(text);
    const at = this.#server.random.below(all.length);
    return [all.subarray(0, at), all.subarray(at)];
  }
}

type Read = { readonly done: boolean; readonly value?: Uint8Array };

/** What a stream has said and nobody has read, or who waits for more. */
class Body {
  readonly #split: (text: string) => Uint8Array[];
  readonly #chunks: Uint8Array[] = [];
  #hasFailed = false;
  #waiting: { resolve(read: Read): void; reject(error: unknown): void } | undefined;

  constructor(split: (text: string) => Uint8Array[]) {
    this.#split = split;
  }

  push(text: string): void {
    this.#chunks.push(...this.#split(text));
    this.#settle();
  }

  fail(): void {
    this.#hasFailed = true;
    this.#settle();
  }

  getReader() {
    const read = () =>
      new Promise<Read>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#settle();
      });
    return { read };
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const value = this.#chunks.shift();
    if (value === undefined && !this.#hasFailed) return;
    this.#waiting = undefined;
    if (value === undefined) waiting.reject(new TypeError('terminated'));
    else waiting.resolve({ done: false, value });
  }
}

const headersOf = (type: string) => ({ get: (name: string) => (name === 'content-type' ? type : null) });

function answerOf(status: number, body: object): HttpAnswer {
  return {
    ok: status < 300,
    status,
    headers: headersOf('application/json'),
    body: null,
    json: async () => body,
    text: async () => JSON.stringify(body),
  };
}
