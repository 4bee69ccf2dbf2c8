import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface HookRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** Its connection, by number. */
  readonly connection: number;
}

export type AnswerHook = (response: ServerResponse, request: HookRequest) => void;

/** Answers with a status and, where given, a body. */
export function answering(status: number, body?: unknown): AnswerHook {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
  };
}

/** An application: a real HTTP server, which says what a test tells it to. */
export class HookServer {
  readonly requests: HookRequest[] = [];
  /** How each request is answered from now on. */
  answer: AnswerHook = answering(204);
  port = 0;
  readonly #arrivals = new EventEmitter();
  readonly #connections = new Map<Socket, number>();
  #server: Server | undefined;
  #connectionCount = 0;

  static async start(): Promise<HookServer> {
    const server = new HookServer();
    await server.start();
    return server;
  }

  url(path = '/hook'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** On the port that it had before, if any. */
  async start(): Promise<void> {
    this.#server = createServer((request, response) => void this.#take(request, response));
    this.#server.on('connection', (socket: Socket) => {
      this.#connections.set(socket, this.#connectionCount++);
      socket.on('close', () => this.#connections.delete(socket));
    });
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** As if the process was killed: connections are cut. */
  async stop(): Promise<void> {
    if (this.#server === undefined) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#connections.keys()) socket.destroy();
    await closed;
    this.#server = undefined;
  }

  /** Resolves when so many requests have come, since the start. */
  async receives(count: number): Promise<readonly HookRequest[]> {
    while (this.requests.length < count) await once(this.#arrivals, 'request');
    return this.requests;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#connections.get(request.socket) ?? -1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const taken: HookRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers as Record<string, string>,
      text,
      json: JSON.parse(text) as HookRequest['json'],
      connection,
    };
    this.requests.push(taken);
    this.answer(response, taken);
    this.#arrivals.emit('request');
  }
}
