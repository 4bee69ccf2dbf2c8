import type { Dispatcher } from 'undici';
import type { AnswerHead } from './hold.ts';
import type { RawHeaders } from './raw-headers.ts';

/** The side of an answer that is turned to the application. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Nothing more is wanted: whoever receives hears nothing more, and a connection that is not done is cut. */
  release(): void;
}

/** Where the body of an answer goes. */
export interface Receiver {
  data(chunk: Buffer): void;
  end(): void;
  /** The application failed in the middle. */
  failed(error: Error): void;
  /** Nothing more comes, for whatever reason; may be called again. */
  release(): void;
}

export interface ExchangeListener {
  /** The head of the answer has come; what is returned gets its body. */
  answered(head: AnswerHead, flow: Flow): Receiver;
  /** There is no head. */
  failed(error: Error): void;
  /** The application's connection is free or gone; called once, last, whatever happened. */
  settled(): void;
}

/** Given to an exchange that is released; nobody hears of it. */
class ReleasedError extends Error {}

/** One request to an application, and its answer. A redirect is an answer like any other. */
export function startExchange(
  dispatcher: Dispatcher,
  call: Dispatcher.DispatchOptions,
  listener: ExchangeListener,
): Flow {
  let controller: Dispatcher.DispatchController | undefined;
  let receiver: Receiver | undefined;
  let isReleased = false;
  const flow: Flow = {
    pause: () => controller?.pause(),
    resume: () => controller?.resume(),
    release() {
      if (isReleased) return;
      isReleased = true;
      receiver?.release();
      controller?.abort(new ReleasedError());
    },
  };
  const settle = (): void => {
    isReleased = true;
    receiver?.release();
    listener.settled();
  };
  dispatcher.dispatch(call, {
    onRequestStart(started) {
      controller = started;
      if (isReleased) controller.abort(new ReleasedError());
    },
    onResponseStart({ rawHeaders }, status, _, message = '') {
      // 1xx: what is meant for this side of the chain only.
      if (isReleased || status < 200) return;
      receiver = listener.answered({ status, message, headers: readRaw(rawHeaders) }, flow);
    },
    onResponseData(_, chunk) {
      if (!isReleased) receiver?.data(chunk);
    },
    onResponseEnd() {
      if (!isReleased) receiver?.end();
      settle();
    },
    onResponseError(_, error) {
      if (!isReleased) (receiver ?? listener).failed(error);
      settle();
    },
  });
  return flow;
}

/** Byte by byte, as Node reads and writes headers: undici's own reading would take them for UTF-8. */
function readRaw(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (!Array.isArray(raw)) throw new TypeError('expected the headers as they came');
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}
