/** What the client is given by whatever runs it: a browser, a worker, Node. Nothing is touched before it is used. */
interface Host {
  readonly WebSocket?: WebSocketConstructor;
  readonly fetch?: Fetch;
  readonly crypto?: { randomUUID?(): string };
  readonly AbortController: new () => { readonly signal: AbortSignalLike; abort(): void };
  readonly TextDecoder: new () => { decode(bytes?: Uint8Array, options?: { stream: boolean }): string };
  readonly BroadcastChannel?: BroadcastChannelConstructor;
  readonly navigator?: { readonly locks?: Locks };
  setTimeout(run: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
  queueMicrotask(run: () => void): void;
}

/** The part of WebSocket that is used: that of browsers, of Node 22, of `ws`. */
export interface WebSocketLike {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** Calls what whoever has a socket has put there, if anything. */
export function callHandler(handler: unknown, event: unknown): void {
  (handler as ((event: unknown) => void) | undefined)?.(event);
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

export type Fetch = (
  url: string,
  request: { readonly method: string; readonly headers: Record<string, string> },
) => Promise<{ readonly ok: boolean; readonly status: number; json(): Promise<unknown> }>;

export interface BroadcastChannelLike {
  onmessage: unknown;
  postMessage(message: unknown): void;
  close(): void;
}

export type BroadcastChannelConstructor = new (name: string) => BroadcastChannelLike;

export interface LockOptions {
  /** An AbortSignal, whose type is the browser's. */
  readonly signal?: never;
  readonly steal?: boolean;
}

/** The part of `navigator.locks` that is used. */
export interface Locks {
  request(name: string, options: LockOptions, run: () => Promise<void>): Promise<unknown>;
}

/** An AbortSignal, without asking for the types of a browser. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', run: () => void): void;
  removeEventListener(type: 'abort', run: () => void): void;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  setTimeout(run: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** A longer one is over at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One that nobody else has, of printable characters. Only pages of a secure origin have `randomUUID`. */
export function uniqueId(): string {
  const random = () => Math.random().toString(36).slice(2);
  return host.crypto?.randomUUID?.() ?? `${Date.now().toString(36)}-${random()}-${random()}`;
}

export const host = globalThis as unknown as Host;

// Called as methods of the global object: browsers refuse them on any other.
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, delayMs) => host.setTimeout(run, delayMs),
  clearTimeout: (timer) => host.clearTimeout(timer),
};
