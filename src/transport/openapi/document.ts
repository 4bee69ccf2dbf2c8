import { PROBLEM_MEDIA_TYPE, PROBLEMS, type ProblemCode } from '../http-problem.ts';
import { type Access, isShared, type Routes, type ServedRoute } from '../http-route.ts';
import { type Answer, type JsonSchema, type Operation, type SecurityName, TAGS } from './operation.ts';

export interface DocumentOptions {
  readonly routes: Routes;
  readonly mode: 'development' | 'production';
  /** `native.cookieName`. */
  readonly cookieName: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * The description of an HTTP surface in OpenAPI 3.1: of the routes that it serves and of nothing else. `info.version`
 * is that of the interface, `signalbox.v1`, and not of what serves it: nobody is told by it what to attack.
 */
export function openApiDocument({ routes, mode, cookieName }: DocumentOptions): Json {
  const paths = [...routes].map(([path, served]) => [
    path,
    Object.fromEntries(served.map((one) => [one.method.toLowerCase(), operationOf(one, mode)])),
  ]);
  return {
    openapi: '3.1.1',
    info: { title: 'Signalbox', version: '1', description: DESCRIPTION },
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: Object.fromEntries(paths) as Json,
    components: {
      schemas: { Problem: PROBLEM },
      headers: HEADERS,
      responses: Object.fromEntries(PROBLEM_CODES.map((code) => [code, problemResponse(code)])),
      securitySchemes: securitySchemes(cookieName),
    },
  };
}

const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];

const DESCRIPTION = `Events in, sockets out. A WebSocket may be opened on any path: with the sub-protocol \
\`signalbox.v1\` it speaks the native protocol, which docs/protocol.md describes.

A known path asked by another method is answered with 405 and \`Allow\`, the probes and every other path with 404, \
\`text/plain\`. Browsers' pages of the origins in \`allowedOrigins\` may use what needs a credential.`;

const PROBLEM: JsonSchema = {
  description: 'A refusal, after RFC 9457.',
  type: 'object',
  properties: {
    type: { const: 'about:blank' },
    title: { type: 'string', description: 'The words of the status.' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'What is wrong, for a developer.' },
    code: { enum: PROBLEM_CODES },
    problems: {
      description: 'With `invalid`: every wrong field.',
      type: 'array',
      items: {
        type: 'object',
        properties: {
          path: { type: 'array', items: { type: ['string', 'integer'] } },
          message: { type: 'string' },
        },
        required: ['path', 'message'],
        additionalProperties: false,
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code'],
  additionalProperties: false,
};

const HEADERS = {
  'Retry-After': { description: 'Seconds to wait.', required: true, schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': { description: 'The scheme.', required: true, schema: { const: 'Bearer' } },
  Allow: {
    description: 'The methods of this path.',
    required: true,
    schema: { type: 'string', examples: ['POST, OPTIONS'] },
  },
  'Access-Control-Allow-Origin': {
    description: 'For pages of allowed origins.',
    schema: { type: 'string' },
  },
};

/** What comes with a refusal, beside its body. */
const HEADERS_OF: Partial<Record<ProblemCode, keyof typeof HEADERS>> = {
  rate_limited: 'Retry-After',
  unauthorized: 'WWW-Authenticate',
  method_not_allowed: 'Allow',
};

function problemResponse(code: ProblemCode): Json {
  const { status, detail } = PROBLEMS[code];
  const header = HEADERS_OF[code];
  return {
    description: detail,
    ...(header !== undefined && { headers: headerRefs(header) }),
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { properties: { status: { const: status }, code: { const: code } } },
          ],
        },
      },
    },
  };
}

/** Refusals that a route's access brings with it. */
const PROBLEMS_OF: Readonly<Record<Access, readonly ProblemCode[]>> = {
  probe: [],
  open: ['rate_limited'],
  bearer: ['unauthorized', 'forbidden', 'rate_limited'],
  cookie: ['unauthorized', 'forbidden', 'rate_limited'],
  stream: ['unauthorized', 'forbidden'],
};

function operationOf({ method, facts, path }: ServedRoute, mode: DocumentOptions['mode']): Json {
  if (method === 'OPTIONS') return optionsOperation(path, facts.access, mode);
  const { access, operation } = facts;
  const { id, tag, summary, description, parameters, body, security } = operation;
  const isHead = method === 'HEAD';
  return {
    operationId: isHead ? `${id}_head` : id,
    tags: [tag],
    summary: isHead ? `As GET, without the body. ${summary}` : summary,
    ...(description !== undefined && { description }),
    ...(security !== undefined && { security: security.map((name) => ({ [name]: [] })) }),
    ...(parameters !== undefined && { parameters }),
    ...(body !== undefined && { requestBody: requestBody(body) }),
    responses: responses(operation, [...PROBLEMS_OF[access], ...inDevelopment(mode)], isHead),
  };
}

/** In development mode who asks by another host's name is refused everything. */
function inDevelopment(mode: DocumentOptions['mode']): readonly ProblemCode[] {
  return mode === 'development' ? ['forbidden'] : [];
}

function optionsOperation(path: string, access: Access, mode: DocumentOptions['mode']): Json {
  const shared = isShared(access);
  return {
    operationId: `options_${path.replaceAll(/[^A-Za-z0-9]/g, '_')}`,
    tags: ['description'],
    summary: shared ? 'What may be asked here, also by pages of other origins.' : 'What may be asked here.',
    responses: {
      204: {
        description: 'The methods.',
        headers: headerRefs('Allow', ...(shared ? (['Access-Control-Allow-Origin'] as const) : [])),
      },
      ...problemRefs(inDevelopment(mode), false),
      default: DEFAULT,
    },
  };
}

function requestBody({ required, description, schema }: NonNullable<Operation['body']>): Json {
  return {
    required,
    ...(description !== undefined && { description }),
    content: { 'application/json': { schema } },
  };
}

function responses(operation: Operation, more: readonly ProblemCode[], isHead: boolean): Json {
  const answers = Object.entries(operation.answers).map(([status, answer]) => [
    status,
    answerResponse(answer, isHead),
  ]);
  return {
    ...(Object.fromEntries(answers) as Json),
    ...problemRefs([...(operation.problems ?? []), ...more], isHead),
    default: DEFAULT,
  };
}

function answerResponse({ description, content, headers }: Answer, isHead: boolean): Json {
  const media = Object.entries(content ?? {}).map(([type, schema]) => [type, { schema }]);
  return {
    description,
    ...(headers !== undefined && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, { required = true, ...header }]) => [
          name,
          { ...header, required },
        ]),
      ),
    }),
    ...(!isHead && content !== undefined && { content: Object.fromEntries(media) as Json }),
  };
}

/** By status: every problem has a status of its own. */
function problemRefs(codes: readonly ProblemCode[], isHead: boolean): Json {
  const refs = codes.map((code) => {
    const { content: _, ...withoutBody } = problemResponse(code);
    return [PROBLEMS[code].status, isHead ? withoutBody : { $ref: `#/components/responses/${code}` }];
  });
  return Object.fromEntries(refs) as Json;
}

function headerRefs(...names: (keyof typeof HEADERS)[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Before a request is one there is no operation, so these can come to any. */
const DEFAULT: Json = {
  description:
    'What came was no request that could be read: 400 `bad_request`, 408 `request_timeout`, 431 `headers_too_large`. Or something is wrong here: 500 `internal`.',
  content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
};

function securitySchemes(cookieName: string): Readonly<Record<SecurityName, Json>> {
  return {
    apiKey: { type: 'http', scheme: 'bearer', description: 'One of `apiKeys`.' },
    token: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'A token of the native protocol. Never in a URL.',
    },
    ticket: { type: 'apiKey', in: 'query', name: 'ticket', description: 'A ticket, which is good once.' },
    ticketProtocol: {
      type: 'apiKey',
      in: 'header',
      name: 'Sec-WebSocket-Protocol',
      description: 'The same, as `signalbox.ticket.<ticket>`, as a WebSocket has it.',
    },
    cookie: {
      type: 'apiKey',
      in: 'cookie',
      name: cookieName,
      description: 'The token in a cookie, from a page that may connect.',
    },
  };
}
