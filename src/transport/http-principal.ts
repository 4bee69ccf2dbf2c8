import * as Either from 'fp-ts/lib/Either.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuthError } from '../auth/auth-error.ts';
import type { NativeAccess } from '../auth/native-access.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { HttpLimit } from './http-limit.ts';
import { PROBLEMS, sendProblem } from './http-problem.ts';

/** Who asks, by what a WebSocket takes: a token, a ticket or a cookie. Undefined: it has been refused. */
export type PrincipalOf = (
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<NativePrincipal | undefined>;

export function createPrincipalOf(
  access: Pick<NativeAccess, 'isAllowedOrigin' | 'authenticate' | 'redeem'>,
  isWithin: HttpLimit,
): PrincipalOf {
  return async (request, reply) => {
    const asked = { headers: request.headers, target: request.url };
    if (!access.isAllowedOrigin(asked)) {
      if (isWithin(request, reply)) {
        void sendProblem(reply, 'forbidden', 'This may not be asked for from there.');
      }
      return undefined;
    }
    const authenticated = await access.authenticate(asked);
    if (Either.isLeft(authenticated)) {
      const problem = problemOfAuth(authenticated.left);
      if (isWithin(request, reply))
        void sendProblem(reply, problem, problem === 'unauthorized' ? 'A valid token is needed.' : NOT_KNOWN);
      return undefined;
    }
    const { principal, ticket } = authenticated.right;
    // Before the ticket is used up: whoever comes too often has it still.
    if (!isWithin(request, reply, principal.user)) return undefined;
    if (ticket === undefined) return principal;
    const isFirst = await access.redeem(ticket).catch(() => undefined);
    if (isFirst === true) return principal;
    if (isFirst === undefined) void sendProblem(reply, 'unavailable', 'The broker cannot be reached.');
    else void sendProblem(reply, 'unauthorized', 'This ticket was used.');
    return undefined;
  };
}

const NOT_KNOWN = 'The broker has not been reached yet: nobody can say whether this token was revoked.';

/** A token that may have been revoked, nobody can say, is no bad one. */
export function problemOfAuth({ status }: AuthError): 'unauthorized' | 'unavailable' {
  return status === PROBLEMS.unavailable.status ? 'unavailable' : 'unauthorized';
}
