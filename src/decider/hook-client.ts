import { errors, Pool } from 'undici';

export interface HookReply {
  readonly status: number;
  readonly body: Buffer;
}

/** The connections to one hook. */
export interface HookClient {
  /** Rejects when there is no whole answer: `OversizeError`, what `signal` says, or why there is no connection. */
  post(body: Buffer, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HookReply>;
  /** Cuts what is under way. */
  close(): Promise<void>;
}

export interface HookClientOptions {
  readonly connections: number;
  readonly timeoutMs: number;
}

/** An answer that is larger than anybody should give. */
export class OversizeError extends Error {}

const MAX_ANSWER_BYTES = 64 * 1024;
/** Where the server does not say how long: less than the shortest in use (2 s, of gunicorn). */
const KEEP_ALIVE_MS = 1_500;

/** Posts to one URL over connections that are kept; a redirect is an answer like any other. */
export function createHookClient(url: string, { connections, timeoutMs }: HookClientOptions): HookClient {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: { timeout: timeoutMs },
    // The time of the whole request is measured by whoever asks, and told by the signal.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    async post(body, headers, signal) {
      try {
        const reply = await pool.request({
          method: 'POST',
          path: pathname + search,
          // What is packed may be larger than it looks.
          headers: { 'content-type': 'application/json', 'accept-encoding': 'identity', ...headers },
          body,
          signal,
        });
        return { status: reply.statusCode, body: Buffer.from(await reply.body.arrayBuffer()) };
      } catch (error) {
        throw error instanceof errors.ResponseExceededMaxSizeError ? new OversizeError(error.message) : error;
      }
    },
    close: () => pool.destroy(),
  };
}
