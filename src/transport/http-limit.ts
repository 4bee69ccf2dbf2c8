import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../telemetry/metrics.ts';
import { type ClientAddress, networkOf } from './client-address.ts';
import { sendTooMany } from './http-problem.ts';
import { RateLimit } from './rate-limit.ts';

export interface HttpLimitDeps {
  /** `limits.requestsPerSecond`. */
  readonly perSecond: number;
  readonly addressOf: ClientAddress;
  readonly metrics: Metrics;
  readonly now: () => number;
}

/**
 * Counts a request: of its principal, by whose token it came, or else of its address. False: it has been refused.
 * `tooMany`: how, in the place of a problem.
 * Whoever has an API key is not counted: it is the application itself, whose bursts are what this server is for.
 */
export type HttpLimit = (
  request: FastifyRequest,
  reply: FastifyReply,
  user?: string,
  tooMany?: (waitMs: number) => void,
) => boolean;

/** How often may be asked over HTTP. Principals and addresses are counted apart: neither crowds the other out. */
export function createHttpLimit({ perSecond, addressOf, metrics, now }: HttpLimitDeps): HttpLimit {
  const principals = new RateLimit({ perSecond, now });
  const addresses = new RateLimit({ perSecond, now });
  return (request, reply, user, tooMany) => {
    const waitMs =
      user === undefined ? addresses.take(networkOf(addressOf(request.raw))) : principals.take(user);
    if (waitMs === 0) return true;
    metrics.count('signalbox.rate_limited', 1, { reason: user === undefined ? 'address' : 'principal' });
    if (tooMany === undefined) void sendTooMany(reply, waitMs);
    else tooMany(waitMs);
    return false;
  };
}
