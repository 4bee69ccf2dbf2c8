import type { ServerResponse } from 'node:http';
import { passedHeaders } from './answer-headers.ts';
import type { Flow, Receiver } from './exchange.ts';
import type { AnswerHead } from './hold.ts';

export interface PassageOptions {
  readonly response: ServerResponse;
  readonly head: AnswerHead;
  readonly flow: Flow;
  readonly isInstruction: (lowerCaseName: string) => boolean;
  /** How long a client may take nothing of what waits for it. */
  readonly idleTimeoutMs: number;
}

const NOTHING = Buffer.alloc(0);

/** Passes an answer on as it comes, at the pace of its client. */
export function createPassage({
  response,
  head,
  flow,
  isInstruction,
  idleTimeoutMs,
}: PassageOptions): Receiver {
  response.writeHead(head.status, head.message, passedHeaders(head.headers, isInstruction));
  // The body may be a long time coming. Not flushHeaders(): it writes what is no ASCII as UTF-8.
  response.write(NOTHING);
  let stalled: NodeJS.Timeout | undefined;
  response.on('drain', () => {
    clearTimeout(stalled);
    flow.resume();
  });
  return {
    data(chunk) {
      if (response.write(chunk)) return;
      flow.pause();
      clearTimeout(stalled);
      stalled = setTimeout(() => {
        flow.release();
        response.destroy();
      }, idleTimeoutMs);
    },
    end() {
      response.end();
    },
    failed() {
      // Ended properly, half an answer would look like a whole one.
      response.destroy();
    },
    release() {
      clearTimeout(stalled);
    },
  };
}
