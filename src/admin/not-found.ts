import type { FastifyReply } from 'fastify';
import { PROBLEM_TYPE } from '../transport/http-problem.ts';

/** The one refusal that the public surface does not have: there a path that is not served is no problem of ours. */
export function sendNotFound(
  reply: FastifyReply,
  detail = 'There is nothing at this address.',
): FastifyReply {
  const problem = { type: 'about:blank', title: 'Not Found', status: 404, detail, code: 'not_found' };
  return reply.code(404).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}
