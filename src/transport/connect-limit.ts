import type { IncomingMessage } from 'node:http';
import type { Metrics } from '../telemetry/metrics.ts';
import { type ClientAddress, networkOf } from './client-address.ts';
import { RateLimit } from './rate-limit.ts';

/** Counts a connection that somebody wants to keep: 0, or after how many milliseconds he may ask again. */
export type ConnectLimit = (request: IncomingMessage) => number;

/** How often one address may open what stays open, of all protocols together. */
export function createConnectLimit(deps: {
  /** `limits.connectsPerIpPerSecond`; 0: no limit. */
  readonly perSecond: number;
  readonly addressOf: ClientAddress;
  readonly metrics: Metrics;
  readonly now: () => number;
}): ConnectLimit {
  const addresses = new RateLimit(deps);
  return (request) => {
    const waitMs = addresses.take(networkOf(deps.addressOf(request)));
    if (waitMs > 0) deps.metrics.count('signalbox.rate_limited', 1, { reason: 'connects' });
    return waitMs;
  };
}
