import type { IncomingMessage, ServerResponse } from 'node:http';
import { Pool } from 'undici';
import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Logger } from '../telemetry/logger.ts';
import { PROBLEMS } from '../transport/http-problem.ts';
import type { UpstreamAddress } from './address.ts';
import type { HeldHeaders } from './answer-headers.ts';
import { createBodyLimit } from './body-limit.ts';
import type { KeepAlive } from './channel-header.ts';
import type { Collect } from './collect.ts';
import { createCollector } from './collector.ts';
import { type Flow, startExchange } from './exchange.ts';
import { problemOf } from './failure.ts';
import { createGripSignature } from './grip-signature.ts';
import { type ChannelCheck, createHoldReader, createInstructionNames, type Hold } from './hold.ts';
import { createPassage } from './passage.ts';
import { decoded, framed, type Prelude } from './prelude.ts';
import { valuesOf } from './raw-headers.ts';
import { answerProblem, hasBody, requestFault } from './refusal.ts';
import { createRequestHeaders } from './request-headers.ts';

export interface UpstreamOptions {
  readonly address: UpstreamAddress;
  /** Names the channels of a stream in an answer. */
  readonly channelHeader?: string;
  /** Headers that an answer must have too. */
  readonly collect?: Collect | undefined;
  /** Headers of an answer that go no further, beside those that give instructions. */
  readonly pull?: readonly string[] | undefined;
  /** Reads GRIP's headers too; with a key the application gets Grip-Sig. */
  readonly grip?: { readonly key?: string | undefined; readonly issuer?: string | undefined } | undefined;
  readonly channelCheck: ChannelCheck;
  readonly isPosition?: ((lastEventId: string) => boolean) | undefined;
  readonly trustProxy: boolean;
  readonly maxBodyBytes: number;
  /** Bytes of a held answer's body that are sent on. */
  readonly bufferSize?: number;
  /** Requests that may wait for the application, or for clients that take its answers. */
  readonly maxAtOnce?: number;
  /** Until the connection stands; until the headers are there; until the body of a held answer has ended. */
  readonly answerTimeoutMs?: number;
  /** How long a body may stand still. */
  readonly idleTimeoutMs?: number;
  readonly logger: Pick<Logger, 'warn'>;
  readonly limit: LogLimit;
}

/** What a stream begins with. */
export interface StreamOpening {
  readonly channels: readonly string[];
  /** Of the application; without one the client's own Last-Event-ID counts. */
  readonly lastEventId?: string;
  readonly contentType?: string;
  /** Go on with the stream, below the stream's own headers. */
  readonly headers: HeldHeaders;
  /** Sent before the first event; in an event stream it ends with the end of an event. */
  readonly prelude: Buffer;
  readonly keepAlive?: KeepAlive;
  /** The body of its answer, which is the client's where there is no stream for now. */
  readonly fallback?: Buffer;
}

/** Answers a request with a stream. The request's body may still be coming; it is read and thrown away. */
export type OpenStream = (request: IncomingMessage, response: ServerResponse, opening: StreamOpening) => void;

/** The application behind a route, which says of each request whether it becomes a stream. */
export interface Upstream {
  /**
   * Answers a request. Resolves when the application has no more part in it: its answer was passed on, the client is
   * gone, or the stream was opened. Rejects only with what `openStream` throws.
   */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    options: { readonly openStream: OpenStream },
  ): Promise<void>;
  /** Requests that the application has a part in. */
  readonly inFlight: number;
  /** Cuts what is under way. */
  close(): Promise<void>;
}

/** What an application gave for a stream. */
interface Taken {
  readonly hold: Hold;
  readonly prelude: Prelude;
  readonly contentEncoding: string;
}

/** Less than the shortest in use (2 s, of gunicorn): a request must not meet a connection that is being closed. */
const KEEP_ALIVE_MS = 1_500;
const RETRY_AFTER_S = 1;

export function createUpstream({
  address: { origin, host, socketPath },
  channelHeader: headerAsWritten = 'X-SSE-Channel',
  collect,
  pull,
  grip,
  channelCheck,
  isPosition,
  trustProxy,
  maxBodyBytes,
  bufferSize = 4096,
  maxAtOnce = 100,
  answerTimeoutMs = 10_000,
  idleTimeoutMs = 60_000,
  logger,
  limit,
}: UpstreamOptions): Upstream {
  const channelHeader = headerAsWritten.toLowerCase();
  const instructions = createInstructionNames({ channelHeader, pull, grip: grip !== undefined });
  const { isInstruction } = instructions;
  const readHold = createHoldReader({
    channelHeader,
    collect,
    grip: grip !== undefined,
    channelCheck,
    isPosition,
    isInstruction,
  });
  const requestHeaders = createRequestHeaders({
    host,
    trustProxy,
    answerHeaders: instructions.names,
    signature:
      grip?.key === undefined ? undefined : createGripSignature({ key: grip.key, issuer: grip.issuer }),
  });
  const pool = new Pool(origin, {
    connections: maxAtOnce,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: answerTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    connect: { timeout: answerTimeoutMs, ...(socketPath !== undefined && { socketPath }) },
  });
  const name = socketPath ?? origin;
  let inFlight = 0;

  const warn = (kind: string, fields: object, text: string): void =>
    limit.log(`upstream ${kind} ${name}`, (suppressed) =>
      logger.warn({ upstream: name, ...fields, suppressed }, text),
    );
  const fail = (response: ServerResponse, error: Error): void => {
    const code = problemOf(error);
    // Not the error itself: it may hold what was received.
    const fields = { reason: error.message, code: 'code' in error ? error.code : undefined };
    if (PROBLEMS[code].status >= 500) warn(code, fields, 'An application did not answer as it should');
    answerProblem(response, code);
  };
  const refuse = (response: ServerResponse, reason: string): void => {
    warn('instruction', { reason }, 'An application asked for a stream that it may not have');
    answerProblem(response, 'bad_gateway', {
      detail: 'The application asked for a stream that cannot be given.',
    });
  };

  /** Resolves with what a stream begins with, or with nothing: the request is answered, or its client gone. */
  const forward = (request: IncomingMessage, response: ServerResponse): Promise<Taken | undefined> =>
    new Promise((resolve) => {
      const body = hasBody(request) ? request.pipe(createBodyLimit(maxBodyBytes)) : null;
      // Whoever it concerns hears of it from undici, which listens only while it sends.
      body?.on('error', () => {});
      const method = request.method ?? 'GET';
      let taken: Taken | undefined;
      let exchange: Flow | undefined;
      const leave = (): void => exchange?.release();
      response.once('close', leave);
      inFlight += 1;
      exchange = startExchange(
        pool,
        { path: request.url ?? '', method, headers: requestHeaders(request), body },
        {
          answered(head, flow) {
            // What HEAD asks about has no body, so it becomes no stream.
            const instruction = method === 'HEAD' ? undefined : readHold(head);
            if (instruction === undefined) {
              return createPassage({ response, head, flow, isInstruction, idleTimeoutMs });
            }
            if ('hold' in instruction) {
              const contentEncoding = valuesOf(head.headers, 'content-encoding').join();
              return createCollector({
                flow,
                bufferSize,
                timeoutMs: answerTimeoutMs,
                collected: (prelude) => {
                  taken = { hold: instruction.hold, prelude, contentEncoding };
                },
                failed: (error) => fail(response, error),
              });
            }
            flow.release();
            refuse(response, instruction.fault);
            return { data() {}, end() {}, failed() {}, release() {} };
          },
          failed: (error) => fail(response, error),
          settled() {
            inFlight -= 1;
            response.off('close', leave);
            if (body !== null) {
              request.unpipe(body);
              body.destroy();
              // What nobody reads would keep the connection from its next request.
              request.resume();
            }
            resolve(taken);
          },
        },
      );
    });

  return {
    async handle(request, response, { openStream }) {
      // Whoever called may have waited for something first.
      if (response.destroyed) return;
      const fault = requestFault(request, maxBodyBytes);
      if (fault !== undefined) {
        answerProblem(response, fault);
        return;
      }
      if (inFlight >= maxAtOnce) {
        warn('full', { maxAtOnce }, 'An application has as many requests as it may have at once');
        const detail = 'The application behind this path has as many requests as it may have at once.';
        answerProblem(response, 'unavailable', { detail, retryAfterS: RETRY_AFTER_S });
        return;
      }
      const taken = await forward(request, response);
      if (taken === undefined) return;
      const { channels, contentType, lastEventId, keepAlive, headers, mayFallBack } = taken.hold;
      let prelude: Buffer;
      let body: Buffer;
      try {
        body = await decoded(taken.prelude.body, taken.contentEncoding);
        prelude = framed({ ...taken.prelude, body }, contentType);
      } catch (error) {
        refuse(response, `its body cannot be decoded: ${String(error)}`);
        return;
      }
      if (response.destroyed) return;
      openStream(request, response, {
        channels,
        headers,
        prelude,
        ...(contentType !== undefined && { contentType }),
        ...(lastEventId !== undefined && { lastEventId }),
        ...(keepAlive !== undefined && { keepAlive }),
        // A part of an answer is none.
        ...(mayFallBack === true && taken.prelude.isWhole && { fallback: body }),
      });
    },
    get inFlight() {
      return inFlight;
    },
    close: () => pool.destroy(),
  };
}
