import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEM_TYPE, PROBLEMS, type ProblemCode, problemBody } from './http-problem.ts';

const TARGET_FORM =
  'The request target: expected a path that begins with exactly one /, without control bytes, backslashes, # and dot segments, raw or encoded.';

/** Answers a request whose target no router may see. */
export function refuseTarget(response: ServerResponse): void {
  const body = problemBody('bad_request', TARGET_FORM);
  response
    .writeHead(400, { 'Content-Type': PROBLEM_TYPE, 'Content-Length': Buffer.byteLength(body) })
    .end(body);
}

/** What Node's parser gave up on never becomes a request, so it is answered on the bare socket. */
export function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = UNREADABLE.get(error.code ?? '') ?? 'bad_request';
  const body = problemBody(code);
  const { title } = JSON.parse(body) as { title: string };
  socket.end(
    `HTTP/1.1 ${PROBLEMS[code].status} ${title}\r\nConnection: close\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const UNREADABLE: ReadonlyMap<string, ProblemCode> = new Map([
  ['HPE_HEADER_OVERFLOW', 'headers_too_large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'request_timeout'],
]);
