import { once } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import type { FastifyInstance } from 'fastify';
import type { Decider } from '../../src/decider/decider.ts';
import { streamId } from '../../src/event/stream-id.ts';
import type { RawJson } from '../../src/protocol/native/client-frame.ts';
import type { ErrorCode } from '../../src/protocol/native/error-codes.ts';
import type { Http, HttpDeps } from '../../src/transport/http.ts';
import { PROBLEMS } from '../../src/transport/http-problem.ts';
import { API_KEY, serveHttp } from '../support/http-surface.ts';
import { principal, ticketOf, tokenWith } from '../support/native-auth.ts';
import { nativeHttp } from '../support/native-http.ts';

type Json = Readonly<Record<string, unknown>>;

interface Described {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Json>>;
  readonly content?: Readonly<Record<string, { readonly schema: Json }>>;
}

interface DescribedOperation {
  readonly operationId: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> };
  readonly responses: Readonly<Record<string, Described | { readonly $ref: string }>>;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

/** A request that a test makes, and what is needed for its answer. */
interface Attempt {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** What the server has for it. */
  readonly server?: Partial<HttpDeps>;
  /** How many times it is made before the answer that counts. */
  readonly before?: number;
}

const KEY = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
const WRONG = { authorization: 'Bearer wrong', 'content-type': 'application/json' };
const TOKEN = { authorization: `Bearer ${tokenWith()}` };
const OF_TOKEN = { ...TOKEN, 'content-type': 'application/json' };
const EVENT = { channel: 'chat', topic: 'line', data: { n: 1 }, key: 'k', snapshot: true };
const MESSAGE = { username: 'bob@example.com', content: 1 };
const TELL = { user: 'bob@example.com', topic: 'notice', data: { n: 1 } };
const END = { session: 's-1', reason: 'You know why.' };
const away = async (): Promise<never> => Promise.reject(new Error('ECONNREFUSED'));
const brokerAway = { publish: away };
const historyAway = { native: { ...nativeHttp(), history: away } };
const noTickets = {
  native: { ...nativeHttp(), access: { ...nativeHttp().access, redeem: away } },
};
const limited = { limits: { requestsPerSecond: 1 } };
const elsewhere = { host: 'evil.example' };
const ticket = ticketOf(principal);

const refusedToPublish = (right: unknown): Readonly<Record<string, readonly Attempt[]>> => ({
  400: [{ headers: KEY, body: '{' }],
  401: [{ headers: WRONG, body: right }],
  413: [{ headers: KEY, body: 'x'.repeat(2_000), server: { maxBodyBytes: 1_000 } }],
  415: [{ headers: { ...KEY, 'content-type': 'text/plain' }, body: right }],
  422: [{ headers: KEY, body: {} }],
  429: [{ headers: { ...WRONG }, body: right, server: limited, before: 2 }],
  503: [{ headers: KEY, body: right, server: brokerAway }],
});

const refusedToControl = (right: unknown): Readonly<Record<string, readonly Attempt[]>> => ({
  ...refusedToPublish(right),
  503: [{ headers: KEY, body: right, server: { control: { tell: away, end: away } } }],
});

const SAYING = { topic: 'price', data: { of: 'tea' } };
const answering = (ask: NonNullable<Decider['ask']>) => ({ native: { ...nativeHttp(), decider: { ask } } });
const told = (tell: NonNullable<Decider['tell']>) => ({ native: { ...nativeHttp(), decider: { tell } } });
const subscribing = (code: ErrorCode) => ({
  native: { ...nativeHttp(), decider: { subscribe: async () => ({ code }) } },
});
const refusedToSay: Readonly<Record<string, readonly Attempt[]>> = {
  400: [{ headers: OF_TOKEN, body: '{' }],
  401: [{ headers: WRONG, body: SAYING }],
  403: [
    { headers: { ...OF_TOKEN, origin: 'https://evil.example' }, body: SAYING },
    { headers: OF_TOKEN, body: SAYING, server: answering(async () => ({ code: 'forbidden' })) },
  ],
  404: [{ headers: OF_TOKEN, body: SAYING }],
  413: [{ headers: OF_TOKEN, body: 'x'.repeat(2_000), server: { maxBodyBytes: 1_000 } }],
  415: [{ headers: { ...OF_TOKEN, 'content-type': 'text/plain' }, body: SAYING }],
  422: [{ headers: OF_TOKEN, body: { ...SAYING, user: '5' } }],
};

/** For each operation and each of its statuses, requests that are answered with it. */
const ATTEMPTS: Readonly<Record<string, Readonly<Record<string, readonly Attempt[]>>>> = {
  publish: {
    201: [
      { headers: KEY, body: EVENT },
      { headers: KEY, body: [EVENT, { channel: 'user:5', data: null }] },
      { headers: OF_TOKEN, body: { channel: 'chat', data: 1 } },
      {
        query: `?ticket=${ticket}`,
        headers: { 'content-type': 'application/json' },
        body: { channel: 'chat', data: 1 },
      },
      {
        headers: KEY,
        body: EVENT,
        server: { publish: async () => [{ id: streamId(1, 0), supersetId: streamId(2, 0) }] },
      },
    ],
    207: [
      {
        headers: KEY,
        body: [EVENT, EVENT],
        server: { publish: async () => [{ id: streamId(1, 0) }, { error: new Error('WRONGTYPE') }] },
      },
    ],
    403: [{ headers: OF_TOKEN, body: { channel: 'sport', data: 1 } }],
    ...refusedToPublish(EVENT),
  },
  sendMessage: {
    200: [{ headers: KEY, body: MESSAGE }],
    403: [{ headers: OF_TOKEN, body: MESSAGE }],
    ...refusedToPublish(MESSAGE),
  },
  tell: {
    200: [{ headers: OF_TOKEN, body: SAYING, server: told(async () => undefined) }],
    202: [
      { headers: KEY, body: TELL },
      { headers: KEY, body: { everyone: true, topic: 'notice' } },
    ],
    403: [{ headers: OF_TOKEN, body: TELL }],
    ...refusedToControl(TELL),
    404: [{ headers: OF_TOKEN, body: SAYING }],
    500: [{ headers: OF_TOKEN, body: SAYING, server: told(async () => ({ code: 'internal' })) }],
    504: [{ headers: OF_TOKEN, body: SAYING, server: told(() => new Promise(() => {})) }],
  },
  ask: {
    200: [{ headers: OF_TOKEN, body: SAYING, server: answering(async () => ({ data: '1' as RawJson })) }],
    ...refusedToSay,
    429: [
      { headers: WRONG, body: SAYING, server: limited, before: 2 },
      { headers: OF_TOKEN, body: SAYING, server: answering(async () => ({ code: 'too_many' })) },
    ],
    500: [{ headers: OF_TOKEN, body: SAYING, server: answering(async () => ({ code: 'internal' })) }],
    503: [{ headers: OF_TOKEN, body: SAYING, server: answering(async () => ({ code: 'unavailable' })) }],
    504: [{ headers: OF_TOKEN, body: SAYING, server: answering(() => new Promise(() => {})) }],
  },
  disconnect: {
    200: [
      { headers: KEY, body: END },
      { headers: KEY, body: { channel: 'sport' } },
    ],
    403: [{ headers: OF_TOKEN, body: END }],
    ...refusedToControl(END),
  },
  getTicket: {
    201: [
      { headers: TOKEN },
      {
        headers: {
          cookie: `signalbox=${tokenWith()}`,
          'content-type': 'application/json',
          'sec-fetch-site': 'same-origin',
        },
        body: {},
      },
    ],
    401: [{ headers: WRONG }],
    403: [
      { headers: { ...TOKEN, origin: 'https://evil.example' } },
      { query: `?ticket=${ticket}`, headers: { 'content-type': 'application/json' } },
    ],
    415: [{}],
    429: [
      { headers: TOKEN, server: limited, before: 2 },
      { headers: TOKEN, before: 20 },
    ],
    503: [{ query: `?ticket=${ticket}`, headers: { 'content-type': 'application/json' }, server: noTickets }],
  },
  streamEvents: {
    200: [
      { query: '?channel=sport&channel=user:5', headers: TOKEN },
      { query: '?channel=sport&lastEventId=e.5-0', headers: { ...TOKEN, 'last-event-id': 'e.6-0' } },
      { query: '?channel=sport&frames=signalbox.v1', headers: TOKEN },
      { query: `?channel=sport&ticket=${ticket}` },
    ],
    400: [
      { query: '?channel=_own', headers: TOKEN },
      { query: '?channel=sport&lastEventId=5', headers: TOKEN },
      { query: '?channel=a&channel=b&channel=c&channel=d', headers: TOKEN },
    ],
    401: [{ query: '?channel=sport', headers: { authorization: 'Bearer wrong' } }],
    403: [
      { query: '?channel=user:6', headers: TOKEN },
      { query: '?channel=sport', headers: { ...TOKEN, origin: 'https://evil.example' } },
    ],
  },
  getHistory: {
    200: [
      { query: '?channel=sport&after=1-0&limit=7', headers: TOKEN },
      { query: '?channel=sport', headers: TOKEN },
      { query: `?channel=sport&ticket=${ticket}` },
      { query: '?channel=sport', headers: { 'sec-websocket-protocol': `signalbox.ticket.${ticket}` } },
      {
        query: '?channel=sport',
        headers: { cookie: `signalbox=${tokenWith()}`, 'sec-fetch-site': 'same-origin' },
      },
    ],
    400: [{ query: '?channel=sport&after=x', headers: TOKEN }],
    401: [
      { query: '?channel=sport' },
      { query: '?channel=sport', headers: TOKEN, server: subscribing('unauthorized') },
    ],
    403: [
      { query: '?channel=secret', headers: TOKEN },
      { query: '?channel=sport', headers: TOKEN, server: subscribing('forbidden') },
    ],
    429: [
      { query: '?channel=sport', server: limited, before: 2 },
      { query: '?channel=sport', headers: TOKEN, server: subscribing('rate_limited') },
    ],
    500: [{ query: '?channel=sport', headers: TOKEN, server: subscribing('internal') }],
    503: [
      { query: '?channel=sport', headers: TOKEN, server: historyAway },
      { query: '?channel=sport', headers: TOKEN, server: subscribing('timeout') },
    ],
  },
  getHealth: { 200: [{}] },
  getReady: { 200: [{}], 503: [{ server: { isReady: () => false } }] },
  getDescription: { 200: [{}], 429: [{ server: limited, before: 2 }] },
};

/** Of the files of a page, and of OPTIONS, which are alike. */
const PAGE = { 200: [{}], 429: [{ server: limited, before: 2 }] };
const OPTIONS = { 204: [{}] };

const page = { token: () => ({ cookieName: 'async-token', token: 'h.b.m' }), opened() {} };

describe.each([
  ['production', {}],
  ['development', { page }],
] as const)('the description of the HTTP surface in %s mode', (mode, more) => {
  const running: Http[] = [];
  const known: { readonly method: string; readonly path: string }[] = [];
  let description: Description;
  let text: string;
  let shared: ReturnType<typeof serve> | undefined;

  const serve = async (overrides: Partial<HttpDeps> = {}) => {
    const served = await serveHttp({ mode, ...more, ...overrides });
    running.push(served.http);
    return served;
  };

  beforeAll(async () => {
    // Fastify tells of each of its instances; so what it serves is known without asking the code that describes it.
    const watch = (message: unknown): void => {
      (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }) => {
        for (const one of [method].flat()) known.push({ method: one, path: url });
      });
    };
    subscribe('fastify.initialization', watch);
    const { url } = await serve();
    unsubscribe('fastify.initialization', watch);
    text = await (await fetch(`${url}/openapi.json`)).text();
    description = JSON.parse(text) as Description;
  });

  afterAll(() => Promise.all(running.splice(0).map((http) => http.close())));

  const operations = () =>
    Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        path,
        method: method.toUpperCase(),
        operation,
      })),
    );

  /** With its reference followed. */
  const resolved = (response: Described | { readonly $ref: string }): Described => {
    if (!('$ref' in response)) return response;
    const name = response.$ref.split('/').at(-1) as string;
    return description.components['responses']?.[name] as unknown as Described;
  };

  const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
  const validators = new Map<string, ValidateFunction>();

  /** Compiled once: that is what takes its time. */
  const validatorOf = (schema: Json): ValidateFunction => {
    const key = JSON.stringify(schema);
    const validator = validators.get(key) ?? ajv.compile(inDocument(schema));
    validators.set(key, validator);
    return validator;
  };

  /** A schema that stands alone, with those of the document that it may refer to. */
  const inDocument = (schema: Json): Json => {
    const all = { ...schema, $defs: description.components['schemas'] };
    return JSON.parse(JSON.stringify(all).replaceAll('"#/components/schemas/', '"#/$defs/')) as Json;
  };

  const attemptsOf = (method: string, id: string) => {
    if (method === 'OPTIONS') return OPTIONS;
    const found = ATTEMPTS[id.replace(/_head$/, '')] ?? (id.startsWith('get_') ? PAGE : undefined);
    if (found === undefined) throw new Error(`nobody tries ${id}: add it to ATTEMPTS`);
    return found;
  };

  /** What neither needs something of its own nor uses anything up is tried on one server. */
  const serverFor = (attempt: Attempt) => {
    const isPlain = attempt.server === undefined && attempt.before === undefined;
    if (!isPlain || JSON.stringify(attempt).includes(ticket)) return serve(attempt.server);
    shared ??= serve();
    return shared;
  };

  const make = async (method: string, path: string, attempt: Attempt): Promise<Response> => {
    const { url } = await serverFor(attempt);
    const body =
      attempt.body === undefined || typeof attempt.body === 'string'
        ? attempt.body
        : JSON.stringify(attempt.body);
    const ask = () =>
      fetch(url + path + (attempt.query ?? ''), {
        method,
        headers: { ...attempt.headers },
        ...(body !== undefined && { body }),
      });
    for (let time = 0; time < (attempt.before ?? 0); time += 1) await (await ask()).arrayBuffer();
    return ask();
  };

  /** What is wrong with an answer, by what the description says of it. */
  const faultsOf = (described: Described, headers: Headers, body: string): string[] => {
    const wanted = Object.entries(described.headers ?? {}).filter(([, header]) => {
      const name = typeof header['$ref'] === 'string' ? header['$ref'].split('/').at(-1) : undefined;
      return (name === undefined ? header : description.components['headers']?.[name])?.['required'] === true;
    });
    const missing = wanted.filter(([name]) => !headers.has(name)).map(([name]) => `no ${name}`);
    const type = headers.get('content-type')?.split(';', 1)[0] ?? '';
    if (described.content === undefined) return body === '' ? missing : [...missing, `a body of ${type}`];
    const schema = described.content[type]?.schema;
    if (schema === undefined) return [...missing, `the type ${type}`];
    const value: unknown = type.endsWith('json') ? JSON.parse(body) : body;
    const validator = validatorOf(schema);
    return validator(value) ? missing : [...missing, ajv.errorsText(validator.errors)];
  };

  test('is valid OpenAPI', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(JSON.parse(text) as Json);
    expect(errors ?? []).toEqual([]);
    expect([valid, validator.version]).toEqual([true, '3.1']);
  });

  test('has every route that is served, and no other', () => {
    const described = operations().map(({ method, path }) => `${method} ${path}`);
    const served = known.map(({ method, path }) => `${method} ${path}`);
    expect(served.length).toBeGreaterThan(15);
    expect(described.sort()).toEqual(served.sort());
  });

  test('has a name of its own for every operation', () => {
    const names = operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  test('names only what it defines', () => {
    const names = [...text.matchAll(/"#\/components\/(\w+)\/([\w-]+)"/g)];
    expect(names.length).toBeGreaterThan(10);
    for (const [, kind = '', name = ''] of names) expect(description.components[kind]).toHaveProperty([name]);
    const schemes = operations().flatMap(({ operation }) => (operation.security ?? []).flatMap(Object.keys));
    expect(new Set(schemes)).toEqual(new Set(Object.keys(description.components['securitySchemes'] ?? {})));
  });

  test('has every problem, each with a status of its own', () => {
    const statuses = Object.values(PROBLEMS).map(({ status }) => status);
    expect(new Set(statuses).size).toBe(statuses.length);
    expect(Object.keys(description.components['responses'] ?? {})).toEqual(Object.keys(PROBLEMS));
  });

  test('has every status of every operation, as it is answered', async () => {
    for (const { path, method, operation } of operations()) {
      const id = operation.operationId;
      const development = mode === 'development' ? { 403: [] } : {};
      const attempts: Readonly<Record<string, readonly Attempt[]>> = {
        ...development,
        ...attemptsOf(method, id),
      };
      const described = Object.keys(operation.responses).filter((status) => status !== 'default');
      expect([id, described.sort()]).toEqual([id, Object.keys(attempts).sort()]);
      for (const [status, list] of Object.entries(attempts)) {
        for (const attempt of list) {
          const answer = await make(method, path, attempt);
          expect([id, answer.status]).toEqual([id, Number(status)]);
          const response = resolved(operation.responses[status] as Described);
          expect([id, status, faultsOf(response, answer.headers, await answer.text())]).toEqual([
            id,
            status,
            [],
          ]);
        }
      }
    }
  });

  test('says by its default what comes of what is no request', async () => {
    const { port } = await serve();
    for (const { path, method, operation } of operations()) {
      const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
      const [status, headers, body] = await raw(port, head);
      expect([operation.operationId, status]).toEqual([operation.operationId, 431]);
      const { default: otherwise } = operation.responses;
      expect(faultsOf(resolved(otherwise as Described), headers, body)).toEqual([]);
    }
  });

  test('takes bodies that the server takes, and none that it has no field for', () => {
    const body = description.paths['/publish']?.['post']?.requestBody;
    const schema = body?.content['application/json']?.schema ?? {};
    const isTaken = (value: unknown) => validatorOf(schema)(value);
    expect([EVENT, [EVENT, EVENT], { channel: 'c', data: null }].map(isTaken)).toEqual([true, true, true]);
    expect(
      [{}, [], { ...EVENT, other: 1 }, [EVENT, EVENT, EVENT, EVENT], { ...EVENT, key: 'a b' }].map(isTaken),
    ).toEqual([false, false, false, false, false]);
  });

  test('says nothing of how this server is configured but the name of its cookie and the length of a list', () => {
    expect(text).not.toContain(API_KEY);
    expect(text).not.toContain('0.1.0');
    expect(description.components['securitySchemes']?.['cookie']).toMatchObject({ name: 'signalbox' });
  });

  if (mode === 'development') {
    test('has 403 for whoever asks by another name', async () => {
      const { port } = await serve();
      for (const { path, method, operation } of operations()) {
        const response = resolved(operation.responses['403'] as Described);
        const [status, headers, body] = await raw(
          port,
          `${method} ${path} HTTP/1.1\r\nHost: ${elsewhere.host}\r\nConnection: close\r\n\r\n`,
        );
        expect([operation.operationId, status]).toEqual([operation.operationId, 403]);
        expect([operation.operationId, faultsOf(response, headers, body)]).toEqual([
          operation.operationId,
          [],
        ]);
      }
    });
  }
});

/** Sends bytes and reads one answer, up to the end of the connection. */
async function raw(port: number, bytes: string): Promise<[status: number, headers: Headers, body: string]> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  await once(socket, 'close');
  const [head = '', ...rest] = Buffer.concat(chunks).toString('latin1').split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = new Headers(lines.map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string]));
  return [Number(statusLine.split(' ')[1]), headers, rest.join('\r\n\r\n')];
}
