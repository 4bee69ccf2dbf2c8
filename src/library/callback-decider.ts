import type { Answer, Decider, Refusal, Verdict } from '../decider/decider.ts';
import type { CallContext, Callbacks } from './callbacks.ts';
import type { Contract } from './contract.ts';
import { isErrorCode, SignalboxError } from './error.ts';
import { fromJson, toJson } from './json.ts';
import type { OnBug } from './listeners.ts';
import type { Socket } from './socket.ts';
import type { Sockets } from './sockets.ts';

export interface CallbackDeciderDeps<C extends Contract> {
  readonly sockets: Sockets<C>;
  /** A socket was welcomed. */
  onSocket(socket: Socket<C>): void;
  /** A callback threw what is no refusal. */
  readonly onBug: OnBug;
}

const NOT_ALLOWED: Refusal = { code: 'forbidden' };

type Handler<C extends Contract> = (data: unknown, context: CallContext<C>) => unknown;

/** The application of a program that Signalbox runs in. */
export function createCallbackDecider<C extends Contract>(
  callbacks: Callbacks<C>,
  { sockets, onSocket, onBug }: CallbackDeciderDeps<C>,
): Decider {
  const { onAsk, onTell } = callbacks;

  async function asking<T>(callback: string, ask: () => Promise<T>): Promise<T | Refusal> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof SignalboxError && isErrorCode(error.code)) {
        return { code: error.code, message: error.message };
      }
      onBug(error, callback);
      return { code: 'internal' };
    }
  }

  /** What is only told: an answer that is late may fail late. */
  function telling(callback: string, tell: () => unknown): void {
    void asking(callback, async () => tell());
  }

  return {
    ...(callbacks.onConnect !== undefined && {
      connect: (peer, { target, headers, address }, signal): Promise<Verdict> =>
        asking('onConnect', async () => {
          const request = { url: target, headers, address };
          const answer = await callbacks.onConnect?.(sockets.principalOf(peer), { request, signal });
          return answer === false ? NOT_ALLOWED : undefined;
        }),
    }),
    ...(callbacks.authorize !== undefined && {
      subscribe: (peer, { channel, query }, signal): Promise<Verdict> =>
        asking('authorize', async () => {
          const context = { socket: sockets.of(peer), signal };
          const principal = sockets.principalOf(peer);
          // What is not true was not allowed, whatever else it may be.
          const isAllowed =
            (await callbacks.authorize?.(principal, channel, fromJson(query), context)) === true;
          return isAllowed ? undefined : NOT_ALLOWED;
        }),
    }),
    ...(onAsk !== undefined && {
      ask: (peer, { topic, data }, signal) =>
        asking(`onAsk.${topic}`, async () => {
          const handler = handlerOf<C>(onAsk, topic);
          return answerOf(await handler(fromJson(data), { socket: sockets.of(peer), signal }));
        }),
    }),
    ...(onTell !== undefined && {
      tell: (peer, { topic, data }, signal): Promise<Verdict> =>
        asking(`onTell.${topic}`, async () => {
          const handler = handlerOf<C>(onTell, topic);
          await handler(fromJson(data), { socket: sockets.of(peer), signal });
          return undefined;
        }),
    }),
    ...(callbacks.snapshot !== undefined && {
      snapshot: (peer, { channel, query }, signal) =>
        asking('snapshot', async () => {
          const context = { socket: sockets.of(peer), signal };
          const data = await callbacks.snapshot?.(
            sockets.principalOf(peer),
            channel,
            fromJson(query),
            context,
          );
          return data === undefined ? undefined : answerOf(data);
        }),
    }),
    connected: (peer) => telling('onSocket', () => onSocket(sockets.of(peer))),
    subscribed: (peer, { channel, query }) =>
      telling('onSubscribe', () => callbacks.onSubscribe?.(sockets.of(peer), channel, fromJson(query))),
    unsubscribed: (peer, channel) =>
      telling('onUnsubscribe', () => callbacks.onUnsubscribe?.(sockets.of(peer), channel)),
    disconnected(peer, reason) {
      const socket = sockets.of(peer);
      telling('onClose', () => sockets.closed(peer, reason));
      telling('onDisconnect', () => callbacks.onDisconnect?.(socket, reason));
    },
  };
}

/** That what a callback answers cannot be written is its bug, and no refusal of the client. */
function answerOf(value: unknown): Answer {
  try {
    return { data: toJson(value) };
  } catch (error) {
    throw new TypeError('the answer cannot be written as JSON', { cause: error });
  }
}

/** Topics come from clients: only what is really there counts. */
function handlerOf<C extends Contract>(handlers: object, topic: string): Handler<C> {
  const handler: unknown = Object.hasOwn(handlers, topic) ? Reflect.get(handlers, topic) : undefined;
  if (typeof handler === 'function') return handler as Handler<C>;
  throw new SignalboxError('no_handler', `Nobody here answers ${topic}.`);
}
