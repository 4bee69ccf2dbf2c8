import * as Either from 'fp-ts/lib/Either.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuthError } from '../auth/auth-error.ts';
import type { NativeAccess } from '../auth/native-access.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { HttpLimit } from './http-limit.ts';
import { PROBLEMS, sendProblem } from './http-problem.ts';

/**
 * Who asks; undefined: the request has been answered with a refusal. `later` answers what is refused for now only, in the
 * place of a problem.
 */
export type PrincipalOf = (
  request: FastifyRequest,
  reply: FastifyReply,
  later?: (waitMs: number) => void,
) => Promise<NativePrincipal | undefined>;

const NOT_KNOWN = 'The broker has not been reached yet: nobody can say whether this token was revoked.';

/** Makes what tells whose request it is, by whatever may say so, and counts it. A ticket is used up by it. */
export function createPrincipalOf({
  access,
  limit: isWithin,
}: {
  readonly access: NativeAccess;
  readonly limit: HttpLimit;
}): PrincipalOf {
  return async (request, reply, later) => {
    const asked = { headers: request.headers, target: request.url };
    if (!access.isAllowedOrigin(asked)) {
      if (isWithin(request, reply, undefined, later)) {
        void sendProblem(reply, 'forbidden', 'This may not be asked for from there.');
      }
      return undefined;
    }
    const authenticated = await access.authenticate(asked);
    if (Either.isLeft(authenticated)) {
      const problem = problemOfAuth(authenticated.left);
      if (!isWithin(request, reply, undefined, later)) return undefined;
      if (problem === 'unavailable' && later !== undefined) later(0);
      else
        void sendProblem(reply, problem, problem === 'unauthorized' ? 'A valid token is needed.' : NOT_KNOWN);
      return undefined;
    }
    const { principal, ticket } = authenticated.right;
    // Before the ticket is used up: whoever comes too often has it still.
    if (!isWithin(request, reply, principal.user, later)) return undefined;
    if (ticket === undefined) return principal;
    const isFirst = await access.redeem(ticket).catch(() => undefined);
    if (isFirst === true) return principal;
    if (isFirst === undefined && later !== undefined) later(0);
    else if (isFirst === undefined) void sendProblem(reply, 'unavailable', 'The broker cannot be reached.');
    else void sendProblem(reply, 'unauthorized', 'This ticket was used.');
    return undefined;
  };
}

/** A token that may have been revoked, nobody can say, is no bad one. */
export function problemOfAuth({ status }: AuthError): 'unauthorized' | 'unavailable' {
  return status === PROBLEMS.unavailable.status ? 'unavailable' : 'unauthorized';
}
