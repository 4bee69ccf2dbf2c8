import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';

/** Every refusal of the HTTP surface: its code, a status of its own, and what is said when nothing closer is known. */
export const PROBLEMS = {
  bad_request: { status: 400, detail: 'The request cannot be read.' },
  unauthorized: { status: 401, detail: 'A valid API key or token is needed: Authorization: Bearer <key>.' },
  forbidden: { status: 403, detail: 'This may not be done from here.' },
  no_handler: { status: 404, detail: 'Nobody here answers this topic.' },
  method_not_allowed: { status: 405, detail: 'This path has other methods.' },
  request_timeout: { status: 408, detail: 'The request did not arrive in time.' },
  too_large: { status: 413, detail: 'The body is larger than maxBodyBytes.' },
  unsupported_media_type: { status: 415, detail: 'The body must be application/json.' },
  invalid: { status: 422, detail: 'The body does not have the expected fields.' },
  rate_limited: { status: 429, detail: 'This is more often than is allowed.' },
  headers_too_large: { status: 431, detail: 'The request headers are too large.' },
  internal: { status: 500, detail: 'Something is wrong here. It has been logged.' },
  bad_gateway: {
    status: 502,
    detail: 'The application behind this path gave no answer that can be passed on.',
  },
  unavailable: {
    status: 503,
    detail: 'The broker cannot be reached. Nothing is known to have been published.',
  },
  timeout: { status: 504, detail: 'There was no answer in time. Whether it was done is not known.' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One thing wrong with a body: where, as the path of names and indexes, and what was expected. */
export interface FieldProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
export const PROBLEM_TYPE = `${PROBLEM_MEDIA_TYPE}; charset=utf-8`;

/** The body of a refusal, after RFC 9457. */
export function problemBody(
  code: ProblemCode,
  detail: string = PROBLEMS[code].detail,
  problems?: readonly FieldProblem[],
): string {
  const { status } = PROBLEMS[code];
  return JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, code, problems });
}

/** What a request that threw, here or in Fastify, is refused with. */
export function problemOf(error: unknown): ProblemCode {
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500;
  if (status === PROBLEMS.too_large.status) return 'too_large';
  if (status === PROBLEMS.unsupported_media_type.status) return 'unsupported_media_type';
  return typeof status === 'number' && status >= 400 && status < 500 ? 'bad_request' : 'internal';
}

/** Answers with a problem. `detail` and `problems` never hold a token or a payload. */
export function sendProblem(
  reply: FastifyReply,
  code: ProblemCode,
  detail?: string,
  problems?: readonly FieldProblem[],
): FastifyReply {
  if (code === 'unauthorized') reply.header('WWW-Authenticate', 'Bearer');
  return reply
    .code(PROBLEMS[code].status)
    .type(PROBLEM_TYPE)
    .send(problemBody(code, detail, problems));
}

/** When there may be room again, of what is answered in milliseconds as a rule. */
export const ROOM_AFTER_MS = 1_000;

/** Refuses what came too often, with when there will be room. */
export function sendTooMany(reply: FastifyReply, waitMs: number, detail?: string): FastifyReply {
  reply.header('Retry-After', Math.ceil(waitMs / 1000));
  return sendProblem(reply, 'rate_limited', detail);
}
