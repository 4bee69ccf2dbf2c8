import { errors } from 'undici';
import { type Clock, systemClock } from '../clock.ts';
import type { Flow, Receiver } from './exchange.ts';
import type { Prelude } from './prelude.ts';

export interface CollectorOptions {
  readonly flow: Flow;
  /** Bytes. */
  readonly bufferSize: number;
  /** How long the body may take. */
  readonly timeoutMs: number;
  /** Called once, unless the application fails first. */
  readonly collected: (prelude: Prelude) => void;
  readonly failed: (error: Error) => void;
  readonly clock?: Pick<Clock, 'setTimeout' | 'clearTimeout'>;
}

/**
 * Collects what the application says before its stream is taken over: all of it, or the first `bufferSize` bytes, and
 * then its connection is cut.
 */
export function createCollector({
  flow,
  bufferSize,
  timeoutMs,
  collected,
  failed,
  clock = systemClock,
}: CollectorOptions): Receiver {
  const chunks: Buffer[] = [];
  let size = 0;
  const finish = (isWhole: boolean): void => {
    collected({ body: Buffer.concat(chunks).subarray(0, bufferSize), isWhole });
  };
  const timer = clock.setTimeout(() => {
    flow.release();
    failed(new errors.BodyTimeoutError('the body of a held answer did not end'));
  }, timeoutMs);
  return {
    data(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= bufferSize) return;
      finish(false);
      flow.release();
    },
    end: () => finish(true),
    failed,
    release: () => clock.clearTimeout(timer),
  };
}
