import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { PROBLEM_TYPE, PROBLEMS, type ProblemCode, problemBody } from '../transport/http-problem.ts';
import { checkTarget } from '../transport/request-target.ts';

/** What is wrong with a request before its application is asked; undefined: nothing. */
export function requestFault(request: IncomingMessage, maxBodyBytes: number): ProblemCode | undefined {
  const { headers, url = '' } = request;
  if (checkTarget(url) === undefined) return 'bad_request';
  const coding = headers['transfer-encoding']?.trim().toLowerCase();
  // Other codings would go on undone, and their name would not.
  if (coding !== undefined && coding !== 'chunked') return 'bad_request';
  return Number(headers['content-length'] ?? 0) > maxBodyBytes ? 'too_large' : undefined;
}

/** Whether a request has a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Answers with a problem; where an answer has begun, the connection is cut instead. Nobody there: nothing. */
export function answerProblem(
  response: ServerResponse,
  code: ProblemCode,
  { detail, retryAfterS }: { readonly detail?: string; readonly retryAfterS?: number } = {},
): void {
  // Node would make an error of it that nobody listens for.
  if (response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = Buffer.from(problemBody(code, detail));
  const { status } = PROBLEMS[code];
  // An answer that could not be passed on may have left its own words there.
  response.writeHead(status, STATUS_CODES[status], {
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    ...(retryAfterS !== undefined && { 'Retry-After': retryAfterS }),
  });
  // Node leaves it out where there is none, as for HEAD.
  response.end(body);
}
